"""Rate limits of addresses and accounts (Flask-Limiter), counted in Valkey where it is configured.

While Valkey does not answer, each process counts for itself, and requests are answered as usual.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from flask import Flask, Response, request, session
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded, RequestLimit
from jwt import PyJWTError
from limits import parse_many
from pydantic import AfterValidator, Field, SecretStr
from werkzeug.exceptions import HTTPException

from runtime import urls
from runtime.settings import Settings
from web.http.problems import problem
from web.security import limit_counters, tokens
from web.security.addresses import network

OFF = "off"
_MEMORY = "memory://"  # each process counts for itself
# Not limited, where the path has a route: cached files, probes, metrics, and signed service calls.
_FREE = ("/assets/", "/images/", "/static/", "/bootstrap/", "/livez", "/readyz", "/metrics", "/service/")
_NO_ROUTE = "no route"
FROM_ANYWHERE = 10  # times RATE_LIMIT_SIGN_IN: attempts for one account from all addresses together


def _limits(text: str) -> str:
    """Return limits such as ``600/minute;10/second``, or ``off``. Raises ValueError for other text."""
    if text != OFF:
        try:
            parse_many(text)
        except ValueError:
            raise ValueError("must be a limit such as 1200/minute, several separated by ';', or off") from None
    return text


Limits = Annotated[str, AfterValidator(_limits)]


def _store(url: SecretStr) -> SecretStr:
    if url.get_secret_value() != _MEMORY:
        urls.read_server(url.get_secret_value(), "redis", "rediss")
    return url


class LimitSettings(Settings):
    """Limits of requests: both web services."""

    rate_limit: Limits = Field(
        "1200/minute",
        description="Requests of one address or one account, such as `1200/minute;50/second`, or `off`. An "
        "IPv6 network of /64 counts as one address. Requests that open pages send automatically, 30 a minute each, are "
        "counted separately, up to the same limit.",
    )
    rate_limit_sign_in: Limits = Field(
        "10/minute;60/hour",
        description="Attempts to sign in or sign up from one address, or `off`. All addresses together have ten times "
        "as many attempts for one account.",
    )
    rate_limit_storage_url: Annotated[SecretStr, AfterValidator(_store)] = Field(
        SecretStr(_MEMORY),
        description="Valkey, in which several processes count together: `redis://:password@host:6379/1`. "
        "Without it, each process counts its own requests.",
    )


def init_limits(app: Flask, settings: LimitSettings, polls: tuple[str, ...] = ()) -> Limiter:
    """Count every request, also those without a route and those refused early: call it before set-up that refuses.

    ``polls`` are prefixes of the endpoints that open pages call repeatedly. They have a limit of their own, so that
    many open pages behind one address do not use up the limit for clicks.
    """
    limiter = Limiter(
        _address,
        app=app,
        application_limits=_of_all(settings.rate_limit, polls),
        # Requests without an endpoint would not be counted without a name.
        request_identifier=lambda: request.endpoint or _NO_ROUTE,
        **_storage(settings),
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    limiter.request_filter(lambda: request.endpoint is not None and request.path.startswith(_FREE))
    app.register_error_handler(RateLimitExceeded, lambda _error: _refuse(limiter.current_limit))
    return limiter


def limit_sign_in(app: Flask, limiter: Limiter, settings: LimitSettings, endpoints: Iterable[str]) -> None:
    """Limit attempts at ``endpoints`` together, which try a password or create an account. Call it after the routes.

    An address, and an account that is signed in, have the limit of the setting. An account named by its e-mail address,
    as strangers can, has ``FROM_ANYWHERE`` times as many, so that one address cannot lock its owner out.
    """
    strict = settings.rate_limit_sign_in
    if strict == OFF:
        return
    limits: list[tuple[Callable[[], str], str]] = [
        (_address, strict),
        (_signed_in, strict),
        (_named, _times(strict, FROM_ANYWHERE)),
    ]
    for endpoint in endpoints:
        view: Any = app.view_functions[endpoint]
        for key, limit in limits:
            exempt = partial(_is_no_attempt, key)
            view = limiter.shared_limit(limit, "passwords", key_func=key, exempt_when=exempt)(view)
        app.view_functions[endpoint] = view


def _is_no_attempt(key: Callable[[], str]) -> bool:
    """Return whether this request only reads, or has no value for ``key``."""
    return _only_reads() or not key()


def _times(limits: str, factor: int) -> str:
    widened = [f"{one.amount * factor} per {one.multiples} {one.GRANULARITY.name}" for one in parse_many(limits)]
    return ";".join(widened)


def _only_reads() -> bool:
    return request.method in {"GET", "HEAD", "OPTIONS"}


def _of_all(rate: str, polls: tuple[str, ...]) -> list[str | Callable[[], str] | ApplicationLimit]:
    if rate == OFF:
        return []

    def scope(endpoint: str, key: str) -> str:
        return f"{key} {'polls' if endpoint.startswith(polls) else 'clicks'}"

    return [
        ApplicationLimit(rate, key_function=key, scope=partial(scope, key=key.__name__)) for key in (_address, _account)
    ]


def _storage(settings: LimitSettings) -> dict[str, Any]:
    """Return the limiter's store. A request waits half a second for a Valkey that hangs; then each process counts for
    itself for a while.
    """
    url = settings.rate_limit_storage_url.get_secret_value()
    if url == _MEMORY:
        return {"storage_uri": f"{limit_counters.SCHEME}://"}
    return {"storage_uri": url, "storage_options": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}}


def _refuse(limit: RequestLimit | None) -> Response:
    seconds = max(1, math.ceil(limit.reset_at - time.time())) if limit else 60
    detail = f"Rate limit exceeded. Retry in {seconds} seconds."
    return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(seconds)})


def _address() -> str:
    return f"address {network(request.remote_addr or '')}"


def _account() -> str:
    return _signed_in() or _address()


def _signed_in() -> str:
    """Return the name of the signed-in account by its token or session; empty where there is none.

    The view checks whether the account still exists. An API key, or a token that is not valid here, has a limit of its
    own.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if token and scheme.lower() == "bearer":
        try:
            return f"account {tokens.decoded(token)['sub']}"
        except (PyJWTError, JWTExtendedException):
            return f"token {_digest(token)}"
    user = session.get("_user_id")
    return f"account {user}" if user else ""


def _named() -> str:
    """Return the account whose password is tried, as a digest of its e-mail address; empty where there is none."""
    try:
        named: Any = request.form.get("email")
        if named is None and request.is_json:
            body = request.get_json(silent=True)
            named = body.get("email") if isinstance(body, dict) else None
    except (
        HTTPException,
        RecursionError,
    ):  # the view refuses such a body; raised here, it would look like a failure of Valkey
        return ""
    return "" if named is None else f"e-mail {_digest(str(named).strip().lower())}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
