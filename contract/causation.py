"""What caused a message: an HTTP request, a command or a task, by its id, and its span where it is traced.

It travels beside the message, in the task's headers, and is stored with what waits to be sent, so that one grep for
a request id tells a change's whole story over both services.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime import tracing
from runtime.correlation import bound, valid_id

HEADER = "origins"  # of a task: [[request id, traceparent, [product ids]], …]
PER_LINE = 200  # products or likes named in one line, as many as a task holds; Docker cuts lines at 16 KiB


@dataclass(frozen=True, slots=True)
class Cause:
    """``request_id``: what ``X-Request-ID`` held; ``traceparent``: W3C trace context, only while tracing is on."""

    request_id: str | None = None
    traceparent: str | None = None


UNKNOWN = Cause()


class Caused(Protocol):
    """A product's or a like's state with what caused it; ``label`` names it for people: ``42@v3``."""

    @property
    def label(self) -> str: ...

    @property
    def cause(self) -> Cause: ...


@dataclass(frozen=True, slots=True)
class LogItem:
    """What is only told of in the logs."""

    label: str
    cause: Cause


def current() -> Cause:
    """Return what is at work here and now."""
    return Cause(bound(), tracing.traceparent())


def header(caused: Iterable[tuple[int, Cause]]) -> dict[str, Any]:
    """Return the header that tells a task what caused each product's state; an import's is one entry."""
    grouped: dict[Cause, list[int]] = {}
    for product_id, cause in caused:
        if cause != UNKNOWN:
            grouped.setdefault(cause, []).append(product_id)
    return {HEADER: [[o.request_id or "", o.traceparent or "", ids] for o, ids in grouped.items()]} if grouped else {}


def of_task(headers: Mapping[str, Any]) -> dict[int, Cause]:
    """Return what caused each product's state, from a task's headers; anyone may have written those."""
    found: dict[int, Cause] = {}
    entries = headers.get(HEADER)
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [str() as request_id, str() as traceparent, [*ids]]:
                cause = Cause(valid_id(request_id), traceparent or None)
                found |= {product_id: cause for product_id in ids if isinstance(product_id, int)}
    return found


def log_items(log: Any, event: str, caused: Sequence[Caused], level: str = "info", **fields: Any) -> None:
    """Log what happened to ``caused``: a line for every PER_LINE of them, with their labels and request ids."""
    for start in range(0, len(caused), PER_LINE):
        part = caused[start : start + PER_LINE]
        ids = sorted({one.cause.request_id for one in part if one.cause.request_id})
        requests: dict[str, Any] = {"request_ids": ids} if len(ids) > 1 else {"request_id": ids[0]} if ids else {}
        getattr(log, level)(event, items=[one.label for one in part], **requests, **fields)
