"""Asking the Client about its dead letters."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from admin.outbox.client_gateway import ClientUnavailableError, client_gateway
from contract.service_calls import DEAD_LETTERS
from web.http import cursors
from web.http.problems import ProblemError

REPLAY, DISCARD = "replay", "discard"
COUNTED = 1_000  # where the Client stops counting letters of one state
_AT_ONCE = 500  # what the Client settles per call
_SORT = "-died_at"
PATIENCE = 15.0  # seconds: a replay has the Client ask Admin in turn
_ID = re.compile(r"[0-9a-f]{1,64}")


class LetterNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class RefusedError(ProblemError):
    """The letter is not one that this can be done to."""

    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, slots=True)
class Page:
    """``counts``: letters by state, COUNTED or more where it says so; empty from a Client of the version before."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    collected_at: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class BulkResult:
    accepted: int
    refused: list[dict[str, str]]
    more: bool


def list_letters(where: dict[str, Any], limit: int, cursor: str | None) -> Page:
    """Return one page, newest first. Raises BadCursorError, ClientUnavailableError."""
    after = cursors.decode(cursor, _SORT)
    answer = _ask("query", {"where": where, "limit": limit + 1, "after": after})
    found = answer["letters"]
    items = found[:limit]
    more = len(found) > limit
    position = [items[-1]["died_at"], items[-1]["id"]] if more else None
    counts = answer.get("counts", {})
    return Page(items, cursors.encode(_SORT, position) if position else None, answer["collected_at"], counts)


def get_letter(letter_id: str) -> dict[str, Any]:
    """Return one letter with its payload. Raises LetterNotFoundError, ClientUnavailableError."""
    letter: dict[str, Any] | None = _ask("show", {"id": letter_id})["letter"] if _ID.fullmatch(letter_id) else None
    if letter is None:
        raise _not_found(letter_id)
    return letter


def settle(action: str, letter_id: str, by: str) -> None:
    """Replay or discard one letter. Raises LetterNotFoundError, RefusedError, ClientUnavailableError."""
    outcomes = _ask(action, {"id": letter_id, "by": by})["outcomes"] if _ID.fullmatch(letter_id) else []
    if not outcomes:
        raise _not_found(letter_id)
    if refused := outcomes[0]["refused"]:
        raise RefusedError(f"Not possible with this dead letter: {refused}.")


def settle_all(action: str, where: dict[str, Any], by: str) -> BulkResult:
    """Replay or discard those that ``where`` names, a bounded number at once. ``where`` has a state, so that a filter
    that got lost never means every letter. Raises ClientUnavailableError.
    """
    outcomes = _ask(f"{action}-all", {"where": where, "by": by})["outcomes"]
    refused = [outcome for outcome in outcomes if outcome["refused"]]
    return BulkResult(len(outcomes) - len(refused), refused, more=len(outcomes) == _AT_ONCE)


def _ask(what: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client_gateway().ask(f"{DEAD_LETTERS}/{what}", body, PATIENCE)
    if not isinstance(answer, dict):
        raise ClientUnavailableError("the Client's answer makes no sense")
    return answer


def _not_found(letter_id: str) -> LetterNotFoundError:
    return LetterNotFoundError(f"There is no dead letter {letter_id!r}.")
