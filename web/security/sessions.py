"""Who is signed in to the pages: a signed cookie (Flask-Login), and a CSRF token in every form (Flask-WTF).

The cookie names a sign-in, which each service keeps in its store: ended there, the cookie is worth nothing. The REST
API has none of it: it takes bearer tokens, which no browser sends by itself.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from web.http.problems import FOR_PROGRAMS, problem, wants_page
from web.http.uploads import check_upload
from web.pages.layout import choose_theme, local_path
from web.security.tokens import CLOCK_LEEWAY


class _Signer(TimestampSigner):
    """Accepts what a host signed whose clock is up to ``CLOCK_LEEWAY`` ahead; itsdangerous refuses one second."""

    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        age = datetime.now(UTC) - signed_at
        if max_age is not None and not -CLOCK_LEEWAY <= age <= timedelta(seconds=max_age):
            raise SignatureExpired("The signature is too old, or from the future.", value, signed_at)
        return (value, signed_at) if return_timestamp else value


class _Cookies(SecureCookieSessionInterface):
    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = _Signer
        return serializer

    def get_cookie_secure(self, app: Flask) -> bool:
        """Over TLS the cookie never goes without it; the demo on one's own machine has none."""
        return request.is_secure


def init_sessions(
    app: Flask, cookie: str, load_user: Callable[[str], Any], sign_in: str, lifetime: timedelta = timedelta(days=14)
) -> None:
    """Read the session from ``cookie``; ``load_user`` finds who it names; ``sign_in`` is the endpoint of that page.

    Cookies know no ports, so services on one host need names of their own. A session ends ``lifetime`` after its
    sign-in.
    """
    app.session_interface = _Cookies()
    app.config.update(
        SESSION_COOKIE_NAME=cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=lifetime,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which some browsers never send; see _came_from_here
    )
    # Its context processor would ask the store for the user of every page, also of the one that says it is down.
    manager = LoginManager(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user  # asks when a template does
    manager.session_protection = None  # a phone changes its address; the sign-in can be ended instead
    manager.user_loader(lambda named: load_user(named) if isinstance(named, str) else None)
    manager.unauthorized_handler(lambda: ask_to_sign_in(sign_in))
    csrf = CSRFProtect(app)
    csrf.exempt(choose_theme)  # a stranger may make our pages dark
    app.before_request(lambda: _protect(csrf))
    app.after_request(_keep_private)
    app.register_error_handler(CSRFError, _form_refused)


def _protect(csrf: CSRFProtect) -> None:
    if not request.path.startswith(FOR_PROGRAMS):
        check_upload()  # before the form is read for its token: a file makes it large
        csrf.protect(apply_exemptions=True)
        if g.get("csrf_valid") and request.is_secure and not _came_from_here():
            raise CSRFError("The form was sent from another site.")


def _came_from_here() -> bool:
    """Return whether nothing says that a form over TLS came from elsewhere: Origin, where it is missing or ``null`` the
    Referer. A client that sends neither is no browser that another site could misuse; its token is enough.
    """
    told = request.headers.get("Origin", "")
    if told in ("", "null"):
        told = request.headers.get("Referer") or told
    return not told or _origin(told) == _origin(request.host_url)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port of ``url``; None when it cannot be read."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def begin(user: UserMixin) -> None:
    """Sign ``user`` in, in a session that nobody knew before."""
    session.clear()
    login_user(user)
    session.permanent = True


def end() -> None:
    """Sign out, and forget everything of the session."""
    logout_user()
    session.clear()


def signed_in() -> Any | None:
    """Return who is signed in to the pages, as ``load_user`` found them; None: nobody. Never a token's owner."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def ask_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """Lead a browser to the page ``endpoint`` and later back to where it was; a script gets a 401."""
    if not wants_page():
        return problem(HTTPStatus.UNAUTHORIZED, "Sign in first.")
    back = request.full_path.rstrip("?") if request.method == "GET" else local_path(request.form.get("next"), "/")
    return redirect(url_for(endpoint, next=back))


def _keep_private(response: Response) -> Response:
    """What was made for one visitor is kept by nobody, unless the page says otherwise itself."""
    if session.accessed and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _form_refused(_error: CSRFError) -> ResponseReturnValue:
    detail = (
        "This form was sent from another place, or its page is older than your sign-in. Go back, reload, try again."
    )
    return problem(HTTPStatus.BAD_REQUEST, detail)
