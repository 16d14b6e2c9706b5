"""The dead letters: which there are, what each says, and replaying or discarding them."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.sessions import page_for
from admin.console.blueprint import blp, live
from admin.monitoring import dead_letters
from admin.monitoring.dead_letters import RefusedError
from admin.outbox.client_gateway import ClientUnavailableError
from admin.rest.dead_letter_schemas import STATES, BulkSchema
from runtime.ids import to_id
from web.pages import forms

_SHOWN = 25


@blp.get("/dead-letters")
@page_for(VIEWER)
def list_letters() -> str:
    where = _where()
    page, error = _page(where)
    shown = {"page": page, "error": error, "where": where, "counted": dead_letters.COUNTED}
    return render_template("console/letters.html", **shown, next_url=_next_url(page))


@blp.get("/dead-letters.json")
@page_for(VIEWER)
def live_letters() -> Response:
    page, error = _page(_where())
    shown = {"page": page, "error": error, "where": _where(), "counted": dead_letters.COUNTED}
    regions = {"counts": render_template("console/letter_counts.html", **shown)}
    for letter in page.items if page else ():
        regions[f"state-{letter['id']}"] = render_template("console/letter_state.html", letter=letter)
    return live(regions)


@blp.get("/dead-letters/<string(length=32):letter_id>")
@page_for(VIEWER)
def show_letter(letter_id: str) -> str | tuple[str, HTTPStatus]:
    try:
        letter = dead_letters.get_letter(letter_id)
    except ClientUnavailableError as error:
        return render_template("console/letter.html", letter=None, error=str(error)), HTTPStatus.SERVICE_UNAVAILABLE
    return render_template("console/letter.html", letter=letter, payload=_readable(letter), error=None)


@blp.get("/dead-letters/<string(length=32):letter_id>/live.json")
@page_for(VIEWER)
def live_letter(letter_id: str) -> Response:
    return live(
        {"letter-state": render_template("console/letter_state.html", letter=dead_letters.get_letter(letter_id))}
    )


@blp.post("/dead-letters/settle")
@page_for(EDITOR)
def settle_letters() -> AnyResponse:
    """Replay or discard the letters that were ticked, or all that the filter shows, a bounded number at once."""
    action = request.form.get("action", "")
    if action not in (dead_letters.REPLAY, dead_letters.DISCARD):
        raise forms.InvalidFormError("Nothing was done: the form says neither replay nor discard.")
    ids = request.form.getlist("id")[:100]
    try:
        done, refused, more = _settle_all(action) if "all" in request.form else _settle(action, ids)
    except ClientUnavailableError:
        flash("The Client keeps the dead letters, and it does not answer now. Nothing was lost; try again.", "error")
        return redirect(_back())
    _say(action, done, refused, more)
    return redirect(_back())


def _settle(action: str, ids: list[str]) -> tuple[int, list[str], bool]:
    refused = []
    for letter_id in ids:
        try:
            dead_letters.settle(action, letter_id, author())
        except (RefusedError, dead_letters.LetterNotFoundError) as error:
            refused.append(error.detail)
    return len(ids) - len(refused), refused, False


def _settle_all(action: str) -> tuple[int, list[str], bool]:
    """Take the filter from the address as strictly as the API does: read as left out, it would mean more letters."""
    given = {name: text for name in ("state", "reason", "product") if (text := request.args.get(name, "").strip())}
    if given.get("state", "any") == "any":
        given["state"] = "new"
    result = dead_letters.settle_all(action, forms.load(BulkSchema(), given), author())
    return result.accepted, [outcome["refused"] for outcome in result.refused], result.more


def _say(action: str, done: int, refused: list[str], more: bool) -> None:
    letters = "dead letter" if done == 1 else "dead letters"
    if done and action == dead_letters.REPLAY:
        flash(f"{done} {letters}: the products are fetched anew. The states show how far it is.", "success")
    elif done:
        flash(f"{done} {letters} discarded. They can still be replayed for 30 days.", "success")
    if more:
        flash("There are more of them: do it again for the next 500.", "info")
    if refused:
        flash(f"{len(refused)} refused: {refused[0]}", "warning")
    if not done and not refused:
        flash("Choose at least one dead letter first.", "warning")


def _page(where: dict[str, Any]) -> tuple[dead_letters.Page | None, str | None]:
    try:
        return dead_letters.list_letters(where, _SHOWN, request.args.get("cursor")), None
    except ClientUnavailableError as error:
        return None, str(error)


def _where() -> dict[str, Any]:
    """Read the filter from the address; what makes no sense there is as good as left out."""
    state = request.args.get("state", "new")
    return {
        "state": state if state in STATES else None,
        "reason": request.args.get("reason", "").strip()[:100],
        "product": request.args.get("product", type=to_id),
    }


def _back() -> str:
    if request.form.get("from") == "letter" and (ids := request.form.getlist("id")):
        return url_for("console.show_letter", letter_id=ids[0])
    state, reason, product = (request.args.get(name) for name in ("state", "reason", "product"))
    return url_for("console.list_letters", state=state, reason=reason, product=product)


def _next_url(page: dead_letters.Page | None) -> str | None:
    if page is None or page.next_cursor is None:
        return None
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': page.next_cursor})}"


def _readable(letter: dict[str, Any]) -> str:
    """Return the payload as indented JSON where it is JSON, else as it is."""
    payload = str(letter.get("payload", ""))
    if letter.get("payload_encoding") != "text" or letter.get("payload_cut"):
        return payload
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
