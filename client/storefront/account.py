"""Pages to sign in, up and out, and the account. A like that needed the sign-in is stored after it."""

from collections.abc import Callable
from http import HTTPStatus

import marshmallow as ma
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from client.accounts import oidc, service, sessions
from client.accounts.documents import Shopper
from client.likes.announcer import announcer
from client.likes.service import set_like
from client.replica.queries import ProductGoneError, ProductNotFoundError
from runtime.ids import to_id
from web.http.head import is_head
from web.http.problems import ProblemError
from web.pages.layout import local_path
from web.security import passwords
from web.security.read_only import ReadOnlyError, read_only
from web.security.tokens import CredentialsSchema

blp = Blueprint("account", __name__, template_folder="templates")

Errors = dict[str, str]
_MESSAGES = {  # marshmallow's messages in plain words
    "Not a valid email address.": "This is not an e-mail address.",
    "Missing data for required field.": "Fill this in.",
}


@blp.before_request
def _refuse_when_read_only() -> None:
    """Refuse sign-ins in read-only mode, where nothing can be liked."""
    if read_only() and request.endpoint != "account.sign_out":
        raise ReadOnlyError


@blp.after_request
def _forbid_caching(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in with e-mail and password."""
    return _show_form("storefront/sign-in.html", lambda values: service.authenticate(**values))


@blp.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> ResponseReturnValue:
    """Create an account and sign in."""
    return _show_form("storefront/sign-up.html", lambda values: service.sign_up(**values))


def _show_form(template: str, find: Callable[[dict[str, str]], Shopper]) -> ResponseReturnValue:
    back = local_path(request.values.get("next"), url_for("shop.index"))
    product_id = request.values.get("like", type=to_id)
    if request.method != "POST" and current_user.is_authenticated:
        return redirect(back)
    values: dict[str, str] = {}
    errors: Errors = {}
    if request.method == "POST":
        values, errors = _credentials()
        if not errors:
            try:
                sessions.begin(find(values))
            except ProblemError as error:
                errors = _errors_by_field(error)
            else:
                return _finish_sign_in(product_id, back)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    page = render_template(
        template,
        errors=errors,
        email=request.form.get("email", ""),
        next=back,
        like=product_id,
        oidc=oidc.offered(),
        shortest=passwords.MIN_LENGTH,
    )
    return page, status


def _credentials() -> tuple[dict[str, str], Errors]:
    """Return the form's values, and its errors by field."""
    given = {name: request.form.get(name, "") for name in ("email", "password")}
    given["email"] = given["email"].strip()
    try:
        return CredentialsSchema().load(given), {}
    except ma.ValidationError as error:
        messages: dict[str, list[str]] = error.normalized_messages()  # type: ignore[no-untyped-call]
        return {}, {field: _plain(field, texts[0]) for field, texts in messages.items()}


def _plain(field: str, text: str = "") -> str:
    if field == "password":
        return f"Use {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters."
    return _MESSAGES.get(text, text)


def _errors_by_field(error: ProblemError) -> Errors:
    """Return an error by field; one without a field is shown above the form."""
    return {item["field"]: error.detail for item in error.errors} or {"form": error.detail}


def _finish_sign_in(product_id: int | None, back: str) -> Response:
    if product_id is None:
        flash("You are signed in.", "success")
    else:
        _like(product_id)
    return redirect(back, HTTPStatus.SEE_OTHER)  # type: ignore[return-value]


def _like(product_id: int) -> None:
    try:
        set_like(product_id, current_user.id, True)
    except (ProductGoneError, ProductNotFoundError):
        flash("You are signed in. The product is no longer available.", "warning")
    else:
        flash("You are signed in. Your like is saved.", "success")


@blp.get("/sign-in/oidc")
def oidc_begin() -> ResponseReturnValue:
    """Redirect to the issuer, where one is configured."""
    if not oidc.offered():
        abort(HTTPStatus.NOT_FOUND)
    session["after_oidc"] = [local_path(request.args.get("next"), "/"), request.args.get("like", type=to_id)]
    return oidc.redirect_to_issuer()


@blp.get("/sign-in/oidc/done")
def oidc_done() -> ResponseReturnValue:
    """Finish the sign-in by the issuer. HEAD neither uses the code nor signs in."""
    if not oidc.offered():
        abort(HTTPStatus.NOT_FOUND)
    if is_head():
        raise oidc.NotConfirmedError("A HEAD request does not sign you in. Send GET.")
    back, product_id = session.get("after_oidc", ["/", None])
    sessions.begin(oidc.find_shopper())
    return _finish_sign_in(product_id if isinstance(product_id, int) else None, back)


@blp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign out in this browser."""
    sessions.end()
    flash("You are signed out.", "info")
    return redirect(url_for("shop.index"), HTTPStatus.SEE_OTHER)


@blp.get("/account")
@login_required
def show() -> str:
    """Show my account."""
    return _account()


@blp.post("/account/password")
@login_required
def change_password() -> ResponseReturnValue:
    """Change my password; needs the current one."""
    try:
        shopper = service.change_password(current_user.id, request.form.get("current", ""), request.form.get("new", ""))
    except passwords.WeakPasswordError as error:
        return _account(errors={"new": error.detail}), error.status
    except ProblemError as error:
        return _account(errors=_errors_by_field(error)), error.status
    sessions.begin(shopper)
    flash("Your password is changed. You are signed out everywhere else.", "success")
    return redirect(url_for("account.show"), HTTPStatus.SEE_OTHER)


@blp.post("/account/erase")
@login_required
def erase() -> ResponseReturnValue:
    """Erase the shopper's account and take back every like. Requires the password."""
    try:
        service.close_account(current_user.id, request.form.get("password", ""))
    except ProblemError as error:
        return _account(erasing=True, errors=_errors_by_field(error)), error.status
    sessions.end()
    announcer().offer(0)
    flash("Your account is erased and your likes are taken back.", "success")
    return redirect(url_for("shop.index"), HTTPStatus.SEE_OTHER)


def _account(*, errors: Errors | None = None, erasing: bool = False) -> str:
    return render_template(
        "storefront/account.html", errors=errors or {}, erasing=erasing, shortest=passwords.MIN_LENGTH
    )
