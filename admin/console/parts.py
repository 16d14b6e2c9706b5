"""The state of each part of the system, derived from the replication's status."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.monitoring.status import Status

OK, SILENT, UNKNOWN = "ok", "silent", "unknown"
# Three missed heartbeats: beat and a worker collect dead letters every 15 s; a relay compares the stores more often.
MAX_AGE = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Part:
    """``text`` describes its state, ``advice`` says what to do about a fault; ``seen`` is its last heartbeat."""

    name: str
    state: str
    text: str
    seen: datetime | None = None
    advice: str = ""


def parts(status: Status) -> list[Part]:
    """Return every part with its state. Admin's database answers: the status was read from it."""
    return list(_parts(status))


def _parts(status: Status) -> Iterator[Part]:
    yield Part("Database", OK, "answers")
    yield _relay(status)
    yield _broker(status)
    yield _client(status)
    yield _worker(status)


def _relay(status: Status) -> Part:
    seen = status.drift.checked_at
    if seen is not None and status.now - seen < MAX_AGE:
        return Part("Relay", OK, "running", seen)
    text = "no heartbeat" if seen else "never ran"
    return Part(
        "Relay",
        SILENT,
        text,
        seen,
        "Start “lockstep relay”. Until then only the web process sends changes.",
    )


def _broker(status: Status) -> Part:
    depths = [depth for depth in status.queues.values() if depth is not None]
    if len(depths) < len(status.queues):
        return Part("Broker", SILENT, "does not answer", None, "Changes and likes stay in the databases until it does.")
    waiting = sum(depths)
    return Part("Broker", OK, f"answers, {waiting:,} messages queued" if waiting else "answers, no messages queued")


def _client(status: Status) -> Part:
    if status.client_error is None:
        return Part("Client", OK, "answers")
    advice = "Changes stay pending until its web service and MongoDB answer."
    return Part("Client", SILENT, "does not answer", None, advice)


def _worker(status: Status) -> Part:
    name = "Worker and beat"
    if status.client is None:
        return Part(name, UNKNOWN, "unknown, as the Client does not answer")
    seen = status.client.worker_seen_at
    if seen is not None and status.now - seen < MAX_AGE:
        return Part(name, OK, "running", seen)
    text = "no heartbeat" if seen else "never ran"
    advice = "Check that “celery -A tasks worker” and “celery -A tasks beat” run, and that the broker answers."
    return Part(name, SILENT, text, seen, advice)
