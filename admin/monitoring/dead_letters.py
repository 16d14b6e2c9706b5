"""The Client's dead letters: listed, resynced and discarded by signed calls. See docs/decisions/0046."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from admin.db.engine import retry_deadlocks
from admin.db.extensions import db
from admin.outbox.client_gateway import ClientUnavailableError, client_gateway
from admin.relay import resync as relay_resync
from contract.service_calls import DEAD_LETTERS, MAX_DEAD_LETTERS, NEVER_AT_ADMIN
from web.http import cursors
from web.http.problems import ProblemError

RESYNC, DISCARD = ACTIONS = ("resync", "discard")
_SORT = "-died_at"
_TIMEOUT_SECONDS = 15.0
_ID = re.compile(r"[0-9a-f]{1,64}")

DeadLetter = dict[str, Any]


class DeadLetterNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class RefusedError(ProblemError):
    """The action is not possible with this dead letter."""

    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, slots=True)
class Page:
    """``counts``: dead letters by state; MAX_COUNTED means that many or more."""

    items: list[DeadLetter]
    next_cursor: str | None
    collected_at: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class BulkResult:
    accepted: int
    refused: list[dict[str, str]]
    more: bool


def list_dead_letters(where: dict[str, Any], limit: int, cursor: str | None) -> Page:
    """Return one page, newest first. Raises BadCursorError, ClientUnavailableError."""
    after = cursors.decode(cursor, _SORT)
    answer = _ask("query", {"where": where, "limit": limit + 1, "after": after})
    found = answer["dead_letters"]
    items = found[:limit]
    position = [items[-1]["died_at"], items[-1]["id"]] if len(found) > limit else None
    next_cursor = cursors.encode(_SORT, position) if position else None
    return Page(items, next_cursor, answer["collected_at"], answer["counts"])


def get_dead_letter(id_: str) -> DeadLetter:
    """Return one dead letter with its payload. Raises DeadLetterNotFoundError, ClientUnavailableError."""
    found: DeadLetter | None = _ask("show", {"id": id_})["dead_letter"] if _ID.fullmatch(id_) else None
    if found is None:
        raise DeadLetterNotFoundError(f"There is no dead letter {id_!r}.")
    return found


def change(action: str, id_: str, by: str) -> None:
    """Resync or discard one dead letter. Raises DeadLetterNotFoundError, RefusedError, ClientUnavailableError."""
    result = _change(action, [get_dead_letter(id_)], by)
    if result.refused:
        raise RefusedError(f"Dead letter {id_} was not changed: {result.refused[0]['refused']}.")


def change_all(action: str, where: dict[str, Any], by: str) -> BulkResult:
    """Resync or discard at most MAX_DEAD_LETTERS dead letters that ``where`` selects. Raises ClientUnavailableError.

    ``where`` names a state, so that a filter lost on the way never selects every dead letter.
    """
    # Dead letters without products would fill the limit each time and keep a resync from reaching the others.
    where = {**where, "with_products": action == RESYNC}
    found = _ask("query", {"where": where, "limit": MAX_DEAD_LETTERS, "after": None})["dead_letters"]
    return _change(action, found, by) if found else BulkResult(0, [], more=False)


def _change(action: str, found: list[DeadLetter], by: str) -> BulkResult:
    """Change ``found``. Before a resync is recorded, the products are committed as pending: a crash between the two
    leaves the dead letters open, and doing both again is harmless.
    """
    refused = _make_pending(found) if action == RESYNC else []
    rest = {item["id"] for item in found} - {item["id"] for item in refused}
    outcomes = _ask(action, {"ids": sorted(rest), "by": by})["outcomes"] if rest else []
    refused += [outcome for outcome in outcomes if outcome["refused"]]
    return BulkResult(len(found) - len(refused), refused, more=len(found) == MAX_DEAD_LETTERS)


def _make_pending(found: Sequence[DeadLetter]) -> list[dict[str, str]]:
    """Make the products in ``found`` pending; refuse each dead letter whose products Admin never had."""
    named = {item["id"]: {product["id"] for product in item["products"]} for item in found}
    ids, known = sorted(set().union(*named.values())), set[int]()
    for start in range(0, len(ids), relay_resync.CHUNK):
        known |= _make_chunk_pending(ids[start : start + relay_resync.CHUNK])
    return [
        {"id": id_, "refused": NEVER_AT_ADMIN} for id_, products in named.items() if products and not products & known
    ]


@retry_deadlocks
def _make_chunk_pending(ids: list[int]) -> set[int]:
    known = relay_resync.mark_chunk(relay_resync.Selection(ids=ids), after=0)
    db.session.commit()
    return set(known)


def _ask(what: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client_gateway().ask(f"{DEAD_LETTERS}/{what}", body, _TIMEOUT_SECONDS)
    if not isinstance(answer, dict):
        raise ClientUnavailableError("the Client's answer is not valid")
    return answer
