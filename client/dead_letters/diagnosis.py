"""Finds from a message alone why it became a dead letter and which products it was about."""

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
    DELIVERY_LIMIT: "its worker died or hung at each delivery, up to the delivery limit",
    "rejected": "the task failed; see the worker's log",
    "expired": "no worker received it before it expired",
}
_MAX_REASONS = 3  # of the items in a batch


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``products`` maps ids to sequences (None where unreadable): the refused products where the message is invalid,
    else all its products.
    """

    reason: str
    products: dict[int, int | None]


def diagnose(message: Message, cause: str) -> Diagnosis:
    """Return why ``message`` was dead-lettered, given the broker's ``cause``. Raises nothing."""
    try:
        return _diagnose(message, cause)
    except Exception as error:  # a message that made a task fail may make this fail too
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
            return _diagnose_states([state], cause)
        case names.SYNC_PRODUCTS, [list(states)]:
            return _diagnose_states(states, cause)
        case names.SYNC_PRODUCTS, _:
            return Diagnosis("messages must be a list", {})
        case names.RESYNC_PRODUCT, [product_id]:
            return _diagnose_ids([product_id], cause)
        case names.RESYNC_PRODUCTS, [ids]:
            return _diagnose_ids(ids, cause)
    return Diagnosis(_reason_for(cause), {})


def _diagnose_ids(ids: Any, cause: str) -> Diagnosis:
    named = [item for item in ids if type(item) is int] if isinstance(ids, list) else []
    return Diagnosis(wrong_ids(ids) or _reason_for(cause), dict.fromkeys(named))


def _diagnose_states(states: Sequence[Any], cause: str) -> Diagnosis:
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
        return Diagnosis(_reason_for(cause), refused | decoded)
    return Diagnosis("; ".join(list(dict.fromkeys(reasons))[:_MAX_REASONS]), refused)


def _reason_for(cause: str) -> str:
    """Return the reason why a valid message was dead-lettered."""
    return _CAUSES.get(cause, f"the broker's cause: {cause}" if cause else "it was sent to the dead letters directly")
