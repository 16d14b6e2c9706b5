"""The cause of a message: the id of the HTTP request, command or task, and its span where tracing is on.

The cause travels in the task's headers and is stored with pending rows, so that one search for a request id finds the
trace of a change in the logs of both services.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime import tracing
from runtime.correlation import bound, valid_id

HEADER = "causes"  # of a task: [[request id, traceparent, [product ids]], …]
PER_LINE = 200  # products or likes in one log line, as many as in one task; Docker cuts lines at 16 KiB


@dataclass(frozen=True, slots=True)
class Cause:
    """``request_id`` is the value of ``X-Request-ID``; ``traceparent`` is W3C trace context, where tracing is on."""

    request_id: str | None = None
    traceparent: str | None = None


UNKNOWN = Cause()


class Caused(Protocol):
    """A product's or a like's state with its cause; ``label`` is its name in logs: ``42@v3``."""

    @property
    def label(self) -> str: ...

    @property
    def cause(self) -> Cause: ...


@dataclass(frozen=True, slots=True)
class LogItem:
    """An item that only appears in the logs."""

    label: str
    cause: Cause


def current() -> Cause:
    """Return the cause that this thread is working on."""
    return Cause(bound(), tracing.traceparent())


def header(caused: Iterable[tuple[int, Cause]]) -> dict[str, Any]:
    """Return the task header with the cause of each product's state, one entry per cause."""
    grouped: dict[Cause, list[int]] = {}
    for product_id, cause in caused:
        if cause != UNKNOWN:
            grouped.setdefault(cause, []).append(product_id)
    return (
        {HEADER: [[cause.request_id or "", cause.traceparent or "", ids] for cause, ids in grouped.items()]}
        if grouped
        else {}
    )


def of_task(headers: Mapping[str, Any]) -> dict[int, Cause]:
    """Return the cause of each product's state from a task's headers, which are not trusted."""
    found: dict[int, Cause] = {}
    entries = headers.get(HEADER)
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [str() as request_id, str() as traceparent, [*ids]]:
                cause = Cause(valid_id(request_id), traceparent or None)
                found |= {product_id: cause for product_id in ids if isinstance(product_id, int)}
    return found


def log_items(log: Any, event: str, caused: Sequence[Caused], level: str = "info", **fields: Any) -> None:
    """Log ``event`` for ``caused`` with their labels and request ids, one line per PER_LINE items."""
    for start in range(0, len(caused), PER_LINE):
        part = caused[start : start + PER_LINE]
        ids = sorted({item.cause.request_id for item in part if item.cause.request_id})
        requests: dict[str, Any] = {"request_ids": ids} if len(ids) > 1 else {"request_id": ids[0]} if ids else {}
        getattr(log, level)(event, items=[item.label for item in part], **requests, **fields)
