"""Callers' addresses: parsed as servers and proxies write them, and grouped for rate limits."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UNKNOWN = "unknown"
_CACHED = 1_000  # addresses; each request parses its own several times
_NETWORK_BITS = 64  # of an IPv6 address; callers can choose the remaining bits


def init_addresses(app: Flask) -> None:
    """Make ``request.remote_addr`` a plain address. Call it before adding the middleware that trusts proxies."""
    app.wsgi_app = _Plain(app.wsgi_app)  # type: ignore[method-assign]


class _Plain:
    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = plain(environ.get("REMOTE_ADDR") or "")
        return self._app(environ, start_response)


def plain(written: str) -> str:
    """Return an address without port, brackets and zone, an IPv4-mapped one as IPv4; ``unknown`` for other text."""
    return str(_parse(written) or UNKNOWN)


def network(address: str) -> str:
    """Return the network that counts as one caller: an IPv4 address, or the /64 network of an IPv6 address."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), _NETWORK_BITS), strict=False))
    return str(parsed or UNKNOWN)


@lru_cache(_CACHED)
def _parse(written: str) -> IPv4Address | IPv6Address | None:
    host = written.strip()
    if host.startswith("["):  # [2001:db8::1]:443
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:  # 192.0.2.1:443
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
