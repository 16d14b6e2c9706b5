import json
from typing import Any

import pytest
from kombu.transport.base import Message

from contract.envelope import unreadable


def message(body: bytes, headers: dict[str, Any] | None = None, content_type: str = "application/json") -> Message:
    return Message(
        body=body,
        headers={"task": "tasks.sync_product"} if headers is None else headers,
        content_type=content_type,
        content_encoding="utf-8",
        accept={"application/json"},
    )


def test_a_task_message_is_readable() -> None:
    assert unreadable(message(json.dumps([[1], {}, {}]).encode())) is None


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{broken", b"", b"5", b"null", b"[]", b"[1,2,3]", b'{"args": []}'])
def test_a_body_of_any_other_shape_is_not(body: bytes) -> None:
    assert "body" in (unreadable(message(body)) or "")


def test_message_without_a_task_or_in_another_format_is_unreadable() -> None:
    assert "no task" in (unreadable(message(b"[[],{},{}]", headers={})) or "")
    assert "decoded" in (unreadable(message(b"x", content_type="application/x-python-serialize")) or "")
