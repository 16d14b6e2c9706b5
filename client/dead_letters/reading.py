"""Makes a document of a message in the dead-letter queue. The message may contain anything, or nothing."""

import base64
import codecs
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from kombu.transport.base import Message

from client.dead_letters.diagnosis import diagnose
from client.dead_letters.documents import OPEN
from contract.messages import MAX_IDS
from contract.versions import MAX_SEQUENCE

MAX_PAYLOAD = 64 * 1024  # bytes stored
_MAX_TEXT = 500  # characters of a header or a reason
_ACCEPT = {"application/json"}  # celeryconfig's accept_content


def read(message: Message) -> dict[str, Any]:
    """Return an open dead letter for ``message``, without the times of its collection."""
    message.accept = _ACCEPT
    raw = message.body or b""
    body = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else bytes(raw)
    death = _death(message)
    found = diagnose(message, death["cause"])
    products = [
        (id_, sequence) for id_, sequence in found.products.items() if type(id_) is int and 0 < id_ <= MAX_SEQUENCE
    ]
    return {
        "_id": _digest(message, body),
        **death,
        "reason": _text(found.reason),
        "task": _text(message.headers.get("task", "")),
        "task_id": _text(message.headers.get("id", "")),
        "products": [{"id": id_, "sequence": sequence} for id_, sequence in products[:MAX_IDS]],
        "products_left_out": max(0, len(products) - MAX_IDS),
        **_payload(body),
        "state": OPEN,
        "by": "",
    }


def _death(message: Message) -> dict[str, Any]:
    """Return queue, exchange, cause and time from RabbitMQ's ``x-death`` (newest first), or from other headers."""
    headers, deaths = message.headers, message.headers.get("x-death")
    death: dict[str, Any] = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    at = death.get("time")
    return {
        "queue": _text(death.get("queue") or headers.get("x-first-death-queue") or ""),
        "exchange": _text(death.get("exchange") or message.delivery_info.get("exchange") or ""),
        "cause": _text(death.get("reason") or headers.get("x-first-death-reason") or ""),
        "died_at": at.replace(tzinfo=UTC) if isinstance(at, datetime) else datetime.now(UTC),
    }


def _payload(body: bytes) -> dict[str, Any]:
    stored, cut = body[:MAX_PAYLOAD], len(body) > MAX_PAYLOAD
    try:
        # incremental: the cut may split a character
        payload, encoding = codecs.getincrementaldecoder("utf-8")().decode(stored, final=not cut), "text"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(stored).decode(), "base64"
    return {"payload": payload, "payload_encoding": encoding, "payload_bytes": len(body), "payload_cut": cut}


def _digest(message: Message, body: bytes) -> str:
    """Return an id that is the same for every delivery: headers ``x-…``, which count deliveries, are left out.

    Two messages with equal content and equal time of death, in seconds, become one dead letter.
    """
    own = {name: value for name, value in message.headers.items() if not str(name).startswith("x-")}
    properties = {name: value for name, value in message.properties.items() if name != "application_headers"}
    parts = [own, message.headers.get("x-death"), properties]
    digest = hashlib.blake2b(json.dumps(parts, default=repr, sort_keys=True).encode(), digest_size=16)
    digest.update(body)
    return digest.hexdigest()


def _text(value: Any) -> str:
    """Return ``value`` as text that the store accepts."""
    return str(value)[:_MAX_TEXT].encode("utf-8", "replace").decode()
