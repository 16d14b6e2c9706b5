"""The console's pages for owners: staff, API keys, audit trail."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from admin.accounts import audit, keys, roster, service, sessions
from admin.accounts.identity import actor, author
from admin.accounts.models import OWNER, ROLES
from admin.rest.owners import NewApiKeySchema, NewStaffSchema
from runtime.bidi import isolated
from web.http.problems import ProblemError
from web.pages import forms

blp = Blueprint("owners_pages", __name__, url_prefix="/console")

EVENTS_PER_PAGE = 50


@blp.get("/staff")
@sessions.page_for(OWNER)
def show_staff() -> ResponseReturnValue:
    """List the accounts, with a form to add one."""
    return render_template("accounts/staff.html", **_staff())


def _staff() -> dict[str, object]:
    return {"staff": roster.all_staff(), "roles": ROLES, "me": actor().staff_id}


@blp.post("/staff")
@sessions.page_for(OWNER)
def add_staff() -> ResponseReturnValue:
    """Create an account."""
    try:
        service.add_staff(**forms.load(NewStaffSchema()), by=author())
    except ProblemError as error:
        given = {name: forms.field(name) for name in ("email", "role")}
        return forms.refused(error, "accounts/staff.html", given=given, **_staff())
    flash(f"{isolated(forms.field('email'))} can sign in.", "success")
    return forms.done(url_for("owners_pages.show_staff"))


@blp.post("/staff/<int:staff_id>")
@sessions.page_for(OWNER)
def change_staff(staff_id: int) -> ResponseReturnValue:
    """Change one account: the action of the button that was pressed."""
    try:
        _change(staff_id, forms.field("action"))
    except ProblemError as error:
        flash(error.detail, "error")
    else:
        flash("Saved. The account is signed out everywhere.", "success")
    return forms.done(url_for("owners_pages.show_staff"))


def _change(staff_id: int, action: str) -> None:
    if action == "remove":
        roster.remove(staff_id, author())
    elif action in {"disable", "enable"}:
        roster.change(staff_id, author(), disabled=action == "disable")
    elif action == "password":
        roster.change(staff_id, author(), password=forms.field("password"))
    elif action == "role" and forms.field("role") in ROLES:
        roster.change(staff_id, author(), role=forms.field("role"))
    else:
        raise forms.InvalidFormError("Nothing was changed: the form names no known action.")


@blp.get("/api-keys")
@sessions.page_for(OWNER)
def show_keys() -> ResponseReturnValue:
    """List the API keys, with a form to create one."""
    return render_template("accounts/api_keys.html", keys=keys.all_keys(), roles=ROLES)


@blp.post("/api-keys")
@sessions.page_for(OWNER)
def make_key() -> ResponseReturnValue:
    """Create a key. Only this answer shows its secret."""
    given = {name: forms.field(name) for name in ("name", "role", "days")}
    try:
        wanted = forms.load(NewApiKeySchema(), {**given, "days": given["days"] or None})
        others = keys.all_keys()  # before the commit: after it, an error would lose the secret
        key, secret = keys.make(**wanted, by=author())
    except ProblemError as error:
        return forms.refused(error, "accounts/api_keys.html", keys=keys.all_keys(), roles=ROLES, given=given)
    shown = sorted([*others, key], key=lambda one: one.name)
    page = render_template("accounts/api_keys.html", keys=shown, roles=ROLES, secret=secret)
    return page, {"Cache-Control": "no-store"}


@blp.post("/api-keys/<int:key_id>/revoke")
@sessions.page_for(OWNER)
def revoke_key(key_id: int) -> ResponseReturnValue:
    """Revoke a key."""
    keys.revoke(key_id, author())
    flash("The key is revoked.", "success")
    return forms.done(url_for("owners_pages.show_keys"))


@blp.get("/audit")
@sessions.page_for(OWNER)
def show_audit() -> ResponseReturnValue:
    """List events of accounts and keys, newest first."""
    page = audit.list_events(EVENTS_PER_PAGE, request.args.get("cursor"))
    more = url_for("owners_pages.show_audit", cursor=page.next_cursor) if page.next_cursor else None
    return render_template("accounts/audit.html", items=page.items, next_url=more)
