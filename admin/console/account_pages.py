"""Pages for signing in and out, and for one's own account."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from admin.accounts import service, sessions
from admin.accounts.identity import actor
from web.pages import forms
from web.pages.layout import local_path
from web.security.passwords import WeakPasswordError
from web.security.tokens import CredentialsSchema, WrongCredentialsError

blp = Blueprint("accounts", __name__, url_prefix="/console", template_folder="templates")

HOME = "/console/"


@blp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in, and return to the page that required it."""
    target = local_path(forms.field("next") or request.args.get("next"), HOME)
    if request.method != "POST":
        return redirect(target) if sessions.signed_in() else render_template("accounts/sign_in.html", next=target)
    try:
        staff = service.authenticate(**_credentials())
    except WrongCredentialsError as error:
        return forms.refused(error, "accounts/sign_in.html", next=target, email=forms.field("email"))
    sessions.begin(staff)
    return forms.done(target)


def _credentials() -> dict[str, str]:
    """Return the e-mail and password of the form. Malformed ones raise WrongCredentialsError, as wrong ones do."""
    try:
        return forms.load(CredentialsSchema())
    except forms.InvalidFormError:
        raise WrongCredentialsError from None


@blp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    sessions.end()
    return forms.done("/console/sign-in")


@blp.get("/account")
@sessions.page_for()
def account() -> ResponseReturnValue:
    """Show the signed-in account, with forms for its password and its sign-ins."""
    return render_template("accounts/account.html")


@blp.post("/account/password")
@sessions.page_for()
def change_password() -> ResponseReturnValue:
    """Change the signed-in account's password; its other sessions and tokens end."""
    me = actor()
    try:
        staff = service.change_password(me.staff_id or 0, forms.field("current"), forms.field("password"))
    except (service.WrongPasswordError, WeakPasswordError) as error:
        return forms.refused(error, "accounts/account.html")
    sessions.begin(staff)
    flash("Your password is changed. You are signed out everywhere else.", "success")
    return forms.done("/console/account")


@blp.post("/account/sign-out-everywhere")
@sessions.page_for()
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session and token of the signed-in account, including this one."""
    me = actor()
    service.sign_out_everywhere(me.staff_id or 0, me.name)
    sessions.end()
    flash("You are signed out everywhere.", "success")
    return forms.done("/console/sign-in")
