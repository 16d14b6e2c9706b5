"""Pages of the dead letters: the list, one with its payload, resync and discard."""

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
from admin.monitoring.dead_letters import BulkResult
from admin.outbox.client_gateway import ClientUnavailableError
from admin.rest.dead_letter_schemas import STATES, BulkSchema
from contract.service_calls import MAX_COUNTED
from runtime.ids import to_id
from web.pages import forms

_SHOWN = 25


@blp.get("/dead-letters")
@page_for(VIEWER)
def list_dead_letters() -> str:
    where = _where()
    page, error = _page(where)
    shown = {"page": page, "error": error, "where": where, "counted": MAX_COUNTED}
    return render_template("console/dead_letters.html", **shown, next_url=_next_url(page))


@blp.get("/dead-letters.json")
@page_for(VIEWER)
def live_dead_letters() -> Response:
    page, error = _page(_where())
    shown = {"page": page, "error": error, "where": _where(), "counted": MAX_COUNTED}
    regions = {"counts": render_template("console/dead_letter_counts.html", **shown)}
    for item in page.items if page else ():
        regions[f"state-{item['id']}"] = render_template("console/dead_letter_state.html", dead_letter=item)
    return live(regions)


@blp.get("/dead-letters/<string(length=32):id_>")
@page_for(VIEWER)
def show_dead_letter(id_: str) -> str | tuple[str, HTTPStatus]:
    try:
        found = dead_letters.get_dead_letter(id_)
    except ClientUnavailableError as error:
        page = render_template("console/dead_letter.html", dead_letter=None, error=str(error))
        return page, HTTPStatus.SERVICE_UNAVAILABLE
    return render_template("console/dead_letter.html", dead_letter=found, payload=_payload(found), error=None)


@blp.post("/dead-letters/change")
@page_for(EDITOR)
def change_dead_letters() -> AnyResponse:
    """Resync or discard the selected dead letters, or up to 500 that the filter selects."""
    action = request.form.get("action", "")
    if action not in dead_letters.ACTIONS:
        raise forms.InvalidFormError("Nothing was changed: the form names neither resync nor discard.")
    ids = request.form.getlist("id")[:100]
    try:
        result = _change_all(action) if "all" in request.form else _change(action, ids)
    except ClientUnavailableError:
        flash("The Client stores the dead letters, and it does not answer. They are unchanged; try again.", "error")
        return redirect(_back())
    _flash_result(action, result)
    return redirect(_back())


def _change(action: str, ids: list[str]) -> BulkResult:
    refused = []
    for id_ in ids:
        try:
            dead_letters.change(action, id_, author())
        except (dead_letters.RefusedError, dead_letters.DeadLetterNotFoundError) as error:
            refused.append({"id": id_, "refused": error.detail})
    return BulkResult(len(ids) - len(refused), refused, more=False)


def _change_all(action: str) -> BulkResult:
    """Validate the filter in the URL as the API does: an invalid part that is ignored would select more."""
    given = {name: text for name in ("state", "reason", "product") if (text := request.args.get(name, "").strip())}
    if given.get("state", "any") == "any":
        given["state"] = "open"
    return dead_letters.change_all(action, forms.load(BulkSchema(), given), author())


def _flash_result(action: str, result: BulkResult) -> None:
    count = f"{result.accepted} dead letter{'' if result.accepted == 1 else 's'}"
    if result.accepted and action == dead_letters.RESYNC:
        flash(f"{count} resynced: the relay sends the current state of the products.", "success")
    elif result.accepted:
        flash(f"{count} discarded. For 30 days a resync is still possible.", "success")
    if result.more:
        flash("There are more: repeat this for the next 500.", "info")
    if result.refused:
        flash(f"{len(result.refused)} refused: {result.refused[0]['refused']}", "warning")
    if not result.accepted and not result.refused:
        flash("No dead letter was selected.", "warning")


def _page(where: dict[str, Any]) -> tuple[dead_letters.Page | None, str | None]:
    try:
        return dead_letters.list_dead_letters(where, _SHOWN, request.args.get("cursor")), None
    except ClientUnavailableError as error:
        return None, str(error)


def _where() -> dict[str, Any]:
    """Read the filter from the URL; invalid parts are ignored."""
    state = request.args.get("state", "open")
    return {
        "state": state if state in STATES else None,
        "reason": request.args.get("reason", "").strip()[:100],
        "product": request.args.get("product", type=to_id),
    }


def _back() -> str:
    if request.form.get("from") == "dead-letter" and (ids := request.form.getlist("id")):
        return url_for("console.show_dead_letter", id_=ids[0])
    state, reason, product = (request.args.get(name) for name in ("state", "reason", "product"))
    return url_for("console.list_dead_letters", state=state, reason=reason, product=product)


def _next_url(page: dead_letters.Page | None) -> str | None:
    if page is None or page.next_cursor is None:
        return None
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': page.next_cursor})}"


def _payload(dead_letter: dict[str, Any]) -> str:
    """Return the payload, indented where it is JSON."""
    payload = str(dead_letter.get("payload", ""))
    if dead_letter.get("payload_encoding") != "text" or dead_letter.get("payload_cut"):
        return payload
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
