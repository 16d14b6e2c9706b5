"""From a message in the dead-letter queue to the document that keeps it. It may hold anything, even nothing."""

import base64
import codecs
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from kombu.transport.base import Message

from client.dead_letters.diagnosis import diagnose
from client.dead_letters.documents import NEW
from contract.messages import MAX_IDS
from contract.versions import MAX_SEQUENCE

MAX_PAYLOAD = 64 * 1024  # bytes kept
_MAX_TEXT = 500  # characters of a header or a reason
_ACCEPT = {"application/json"}  # celeryconfig's accept_content


def read(message: Message) -> dict[str, Any]:
    """Return the document for ``message``, new, with everything but when it was collected."""
    message.accept = _ACCEPT
    raw = message.body or b""
    body = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else bytes(raw)
    origin = _origin(message)
    found = diagnose(message, origin["cause"])
    products = [
        (id_, sequence) for id_, sequence in found.products.items() if type(id_) is int and 0 < id_ <= MAX_SEQUENCE
    ]
    return {
        "_id": _digest(message, body),
        **origin,
        "reason": _text(found.reason),
        "task": _text(message.headers.get("task", "")),
        "task_id": _text(message.headers.get("id", "")),
        "products": [{"id": id_, "sequence": sequence} for id_, sequence in products[:MAX_IDS]],
        "products_left_out": max(0, len(products) - MAX_IDS),
        **_payload(body),
        "state": NEW,
        "by": "",
        "error": "",
    }


def _origin(message: Message) -> dict[str, Any]:
    """Where and why it died, by RabbitMQ's ``x-death`` (newest first); of what is missing there, what is known."""
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
    kept, cut = body[:MAX_PAYLOAD], len(body) > MAX_PAYLOAD
    try:
        # incremental: the cut may go through the middle of a character
        payload, encoding = codecs.getincrementaldecoder("utf-8")().decode(kept, final=not cut), "text"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(kept).decode(), "base64"
    return {"payload": payload, "payload_encoding": encoding, "payload_bytes": len(body), "payload_cut": cut}


def _digest(message: Message, body: bytes) -> str:
    """Return the same id for every delivery of one message: the broker counts deliveries in ``x-…`` headers.

    Two messages that are alike in everything, down to the second in which they died, are one letter.
    """
    own = {name: value for name, value in message.headers.items() if not str(name).startswith("x-")}
    properties = {name: value for name, value in message.properties.items() if name != "application_headers"}
    parts = [own, message.headers.get("x-death"), properties]
    digest = hashlib.blake2b(json.dumps(parts, default=repr, sort_keys=True).encode(), digest_size=16)
    digest.update(body)
    return digest.hexdigest()


def _text(value: Any) -> str:
    """Return ``value`` as text that the store can hold."""
    return str(value)[:_MAX_TEXT].encode("utf-8", "replace").decode()
