"""The id of the current request, command or task. Log lines and calls to the other service carry it."""

import re
import uuid
from contextlib import AbstractContextManager
from typing import Any

import structlog

HEADER = "X-Request-ID"
MAX_ID = 64  # characters

_ACCEPTABLE = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID}}}")


def new_id() -> str:
    return uuid.uuid4().hex


def valid_id(value: Any) -> str | None:
    """Return ``value`` where it is a valid request id, else None. Callers may choose their own."""
    return value if isinstance(value, str) and _ACCEPTABLE.fullmatch(value) else None


def bound() -> str | None:
    """Return the id of the current request or command, None outside both."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def begin() -> None:
    """Bind a new id to this context: the id of a command."""
    structlog.contextvars.bind_contextvars(request_id=new_id())


def under(request_id: str) -> AbstractContextManager[None]:
    """Bind ``request_id`` within the block: of a job that was requested earlier."""
    return structlog.contextvars.bound_contextvars(request_id=request_id)


def outgoing() -> dict[str, str]:
    """Return the header of a call to the other service."""
    return {HEADER: bound() or structlog.contextvars.get_contextvars().get("task_id") or new_id()}
