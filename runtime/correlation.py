"""The id of the request, command or task at work, which the logs carry and calls hand on. Knows no Flask."""

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
    """Return ``value`` when it is a request id that anyone may have chosen, else None."""
    return value if isinstance(value, str) and _ACCEPTABLE.fullmatch(value) else None


def bound() -> str | None:
    """Return the id of the request or command at work here, None where there is neither."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def begin() -> None:
    """From now on, what happens here is caused by one command."""
    structlog.contextvars.bind_contextvars(request_id=new_id())


def under(request_id: str) -> AbstractContextManager[None]:
    """Meanwhile, what happens here is caused by ``request_id``: a job that others asked for."""
    return structlog.contextvars.bound_contextvars(request_id=request_id)


def outgoing() -> dict[str, str]:
    """Return the header of a call to the other service."""
    return {HEADER: bound() or structlog.contextvars.get_contextvars().get("task_id") or new_id()}
