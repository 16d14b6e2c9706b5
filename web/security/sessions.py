"""Sessions of the pages: a signed cookie (Flask-Login), and a CSRF token in every form (Flask-WTF).

The cookie names a sign-in in the service's store, and is void once that sign-in has ended. The REST API accepts bearer
tokens instead, which browsers do not send by themselves.
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
    """Accepts signatures of hosts whose clocks are up to ``CLOCK_LEEWAY`` ahead; itsdangerous accepts no offset."""

    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        age = datetime.now(UTC) - signed_at
        if max_age is not None and not -CLOCK_LEEWAY <= age <= timedelta(seconds=max_age):
            raise SignatureExpired("The signature is too old, or from the future.", value, signed_at)
        return (value, signed_at) if return_timestamp else value


class _Cookies(SecureCookieSessionInterface):
    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the application's serializer, made once; Flask makes two for each request."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
            if self._serializer is not None:
                self._serializer.signer = _Signer
        return self._serializer

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for TLS alone: where the request used TLS, as the local demo does not."""
        return request.is_secure


def init_sessions(
    app: Flask, cookie: str, load_user: Callable[[str], Any], sign_in: str, lifetime: timedelta = timedelta(days=14)
) -> None:
    """Read the session from ``cookie``. ``load_user`` finds its account; ``sign_in`` is the endpoint of its page.

    Browsers share cookies between ports, so services on one host need different names. A session ends ``lifetime``
    after its sign-in.
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
        WTF_CSRF_SSL_STRICT=False,  # it requires a Referer, which some browsers never send; see _is_same_origin
    )
    # Its context processor would read the user from the store for every page, also for the page that reports it down.
    manager = LoginManager(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user  # reads the store only where a template uses it
    manager.session_protection = None  # the address of a phone changes; users can end sign-ins instead
    manager.user_loader(lambda named: load_user(named) if isinstance(named, str) else None)
    manager.unauthorized_handler(lambda: ask_to_sign_in(sign_in))
    csrf = CSRFProtect(app)
    csrf.exempt(choose_theme)  # another site may change the theme, which is harmless
    app.before_request(lambda: _protect(csrf))
    app.after_request(_forbid_caching)
    app.register_error_handler(CSRFError, _refuse_form)


def _protect(csrf: CSRFProtect) -> None:
    if not request.path.startswith(FOR_PROGRAMS):
        check_upload()  # before the token is read from the form, which may contain a large file
        csrf.protect(apply_exemptions=True)
        if g.get("csrf_valid") and request.is_secure and not _is_same_origin():
            raise CSRFError("The form was sent from another site.")


def _is_same_origin() -> bool:
    """Return whether a form over TLS came from this site by its Origin, or by its Referer where that is missing or
    ``null``. True where both are missing: browsers send one, and for other clients the token is enough.
    """
    source = request.headers.get("Origin", "")
    if source in ("", "null"):
        source = request.headers.get("Referer") or source
    return not source or _origin(source) == _origin(request.host_url)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port of ``url``; None where it is malformed."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def begin(user: UserMixin) -> None:
    """Sign ``user`` in, in a new session."""
    session.clear()
    login_user(user)
    session.permanent = True


def end() -> None:
    """Sign out and clear the session."""
    logout_user()
    session.clear()


def signed_in() -> Any | None:
    """Return the account that is signed in to the pages, None without one. Bearer tokens do not count."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def ask_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """Redirect a browser to the page ``endpoint``, which returns to this page later; answer a script with 401."""
    if not wants_page():
        return problem(HTTPStatus.UNAUTHORIZED, "Sign in first.")
    back = request.full_path.rstrip("?") if request.method == "GET" else local_path(request.form.get("next"), "/")
    return redirect(url_for(endpoint, next=back))


def _forbid_caching(response: Response) -> Response:
    """Forbid caching of an answer that used the session, unless the view set Cache-Control itself."""
    if session.accessed and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _refuse_form(_error: CSRFError) -> ResponseReturnValue:
    detail = "This form came from another site, or its page is older than your sign-in. Go back, reload, and try again."
    return problem(HTTPStatus.BAD_REQUEST, detail)
