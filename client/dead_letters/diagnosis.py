"""Why a message became a dead letter and which products it was about, found from the message alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kombu.transport.base import Message

from contract import names
from contract.arguments import PRODUCT_TASKS, wrong_call, wrong_ids
from contract.envelope import unreadable
from contract.messages import InvalidMessageError, ProductChanged

DELIVERY_LIMIT = "delivery_limit"
_TASKS = {value for name, value in vars(names).items() if name.isupper() and str(value).startswith("tasks.")}
_CAUSES = {
    DELIVERY_LIMIT: "it was delivered again and again and never finished: its worker died or hung each time",
    "rejected": "the task failed; the worker's log says why",
    "expired": "no worker took it before it expired",
}
_MAX_REASONS = 3  # of a batch's items


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``products`` maps ids to sequences (None where one cannot be read): the refused products where each has its own
    reason, else all.
    """

    reason: str
    products: dict[int, int | None]


def diagnose(message: Message, cause: str) -> Diagnosis:
    """Return what is wrong with ``message``, which the broker dead-lettered for ``cause``. Never raises."""
    try:
        return _diagnose(message, cause)
    except Exception as error:  # whatever a task trips over may trip us
        return Diagnosis(f"reading it fails: {error!r}", {})


def _diagnose(message: Message, cause: str) -> Diagnosis:
    if reason := unreadable(message):
        return Diagnosis(reason, {})
    task = message.headers["task"]
    if task not in _TASKS:
        return Diagnosis(f"no task is called {task!r}", {})
    args, kwargs, _ = message.payload
    if task in PRODUCT_TASKS and (wrong := wrong_call(task, args, kwargs)):
        return Diagnosis(wrong, {})
    match task, [*args, *kwargs.values()]:
        case names.SYNC_PRODUCT, [state]:
            return _of_states([state], cause)
        case names.SYNC_PRODUCTS, [list(states)]:
            return _of_states(states, cause)
        case names.SYNC_PRODUCTS, _:
            return Diagnosis("messages must be a list", {})
        case names.RESYNC_PRODUCT, [product_id]:
            return _of_ids([product_id], cause)
        case names.RESYNC_PRODUCTS, [ids]:
            return _of_ids(ids, cause)
    return Diagnosis(_blame(cause), {})


def _of_ids(ids: Any, cause: str) -> Diagnosis:
    named = [item for item in ids if type(item) is int] if isinstance(ids, list) else []
    return Diagnosis(wrong_ids(ids) or _blame(cause), dict.fromkeys(named))


def _of_states(states: Sequence[Any], cause: str) -> Diagnosis:
    decoded: dict[int, int | None] = {}
    refused: dict[int, int | None] = {}
    reasons: list[str] = []
    for raw in states:
        try:
            message = ProductChanged.decode(raw)
        except InvalidMessageError as error:
            reasons.append(error.reason)
            if error.product_id is not None:
                refused[error.product_id] = error.sequence
        else:
            decoded[message.id] = max(message.sequence, decoded.get(message.id) or 0)
    if cause == DELIVERY_LIMIT or not reasons:
        return Diagnosis(_blame(cause), refused | decoded)
    return Diagnosis("; ".join(list(dict.fromkeys(reasons))[:_MAX_REASONS]), refused)


def _blame(cause: str) -> str:
    """Return what is known when the message itself is in order."""
    return _CAUSES.get(cause, f"the broker says: {cause}" if cause else "it came here past every queue of ours")
