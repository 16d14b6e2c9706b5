"""Parse URLs and addresses in settings by one strict grammar (RFC 3986).

Lenient libraries split a URL at different characters. With such a character in a password, they mistake a part of it
for a port or host, and quote that part in their errors. All of them read a URL that is accepted here in the same way.
"""

import re
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

_ENCODED = "%(?!00)[0-9A-Fa-f]{2}"
# Without "+", which PyMongo reads as a space, and ";", which separates kombu's alternatives.
_CREDENTIAL = rf"(?:[\w.~!$&'()*,=-]|{_ENCODED})*"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._-]|{_ENCODED})+)(?::[0-9]{{1,5}})?"
_URL = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+]*)://(?:(?P<user>{_CREDENTIAL})(?::(?P<password>{_CREDENTIAL}))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)?"
    rf"(?P<path>/(?:[\w.~!$&'()*+,;=:/-]|{_ENCODED})*)?(?:\?(?P<query>(?:[\w.~!$&'()*+,;=:/?-]|{_ENCODED})*))?"
)
_NAME_AND_PORT = re.compile(r"(?P<name>\[.+\]|[^:]+)(?::(?P<port>[0-9]+))?")
_ADVICE = (
    "is not a valid URL. In the user and the password, percent-encode every character except letters, digits and "
    "- . _ ~ (@ is %40, / is %2F, # is %23, % is %25); the port is a number from 1 to 65535"
)


class Url(NamedTuple):
    """The parts of a URL. ``user`` and ``password`` are percent-encoded as written, None where missing."""

    scheme: str
    user: str | None
    password: str | None
    hosts: tuple[str, ...]
    path: str
    query: str


def read(url: str, *schemes: str) -> Url:
    """Return the parts of ``url``, whose scheme must be one of ``schemes``, where any are given.

    Raises ValueError that says what to change, without any part of the URL.
    """
    if schemes and not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    found = _URL.fullmatch(url)
    if found is None or not _is_utf8(url):
        raise ValueError(_ADVICE)
    hosts = tuple(filter(None, (found["hosts"] or "").split(",")))
    if not all(map(_is_valid_host, hosts)):
        raise ValueError(_ADVICE)
    return Url(found["scheme"], found["user"], found["password"], hosts, found["path"] or "", found["query"] or "")


def read_server(url: str, *schemes: str) -> Url:
    """Return the parts of the URL of one server. Raises ValueError, as ``read`` does."""
    parts = read(url, *schemes)
    if len(parts.hosts) != 1:
        raise ValueError(f"must have exactly one host, such as {parts.scheme}://user:password@host:port/")
    if parts.scheme.startswith("redis") and not re.fullmatch("(/[0-9]{0,5})?", parts.path):
        raise ValueError("must end in the number of a database, such as redis://:password@host:6379/0")
    return parts


def passwords_in(url: str) -> set[str]:
    """Return the passwords in ``url``, or in each of several separated by ``;``, as written, also those in the query.

    A text that cannot be parsed, such as the path of an SQLite file with blanks, has no password.
    """
    found = set()
    for each in url.split(";"):
        try:
            parts = read(each)
        except ValueError:
            continue
        found |= {value for name, value in parse_qsl(parts.query) if "pass" in name.lower()} | {parts.password or ""}
    return found - {""}


def host_and_port(address: str) -> tuple[str, int]:
    """Return host and port of ``host:port``; an IPv6 address is in brackets, ``[::1]:9101``. Raises ValueError."""
    found = _NAME_AND_PORT.fullmatch(address)
    if found is None or not found["port"] or not re.fullmatch(_HOST, address) or not _is_valid_host(address):
        raise ValueError("must be host:port, such as 127.0.0.1:9101 or [::1]:9101")
    return found["name"].strip("[]"), int(found["port"])


def _is_valid_host(host: str) -> bool:
    """Return whether the port, and the IPv6 address in brackets, of a text with a host's characters are valid."""
    found = _NAME_AND_PORT.fullmatch(host)
    if found is None or not 0 < int(found["port"] or 1) < 65536:
        return False
    try:
        return not host.startswith("[") or bool(IPv6Address(found["name"].strip("[]")))
    except ValueError:
        return False


def _is_utf8(url: str) -> bool:
    try:
        return "\0" not in unquote(url, errors="strict")
    except UnicodeError:
        return False
