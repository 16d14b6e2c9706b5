"""Which parts are at work, as far as Admin can tell without asking each: what is not known is called unknown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.monitoring.status import Status

OK, SILENT, UNKNOWN = "ok", "silent", "unknown"
# A relay looks at the stores every ten seconds, and beat has a worker look for dead letters as often.
QUIET = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Part:
    """``words`` say how it is, ``advice`` what to do when it is not well; ``seen`` when it last showed itself."""

    name: str
    state: str
    words: str
    seen: datetime | None = None
    advice: str = ""


def parts(status: Status) -> list[Part]:
    """Return every part with how it is. Admin's database is well: it told the status."""
    return list(_parts(status))


def _parts(status: Status) -> Iterator[Part]:
    yield Part("Database", OK, "answers")
    yield _relay(status)
    yield _broker(status)
    yield _client(status)
    yield _worker(status)


def _relay(status: Status) -> Part:
    seen = status.drift.checked_at
    if seen is not None and status.now - seen < QUIET:
        return Part("Relay", OK, "at work", seen)
    words = "no sign of life" if seen else "never seen"
    return Part("Relay", SILENT, words, seen, "Start “lockstep relay”. Until then only the web process sends changes.")


def _broker(status: Status) -> Part:
    depths = [depth for depth in status.queues.values() if depth is not None]
    if len(depths) < len(status.queues):
        return Part("Broker", SILENT, "does not answer", None, "Changes and likes wait in the databases until it does.")
    waiting = sum(depths)
    return Part("Broker", OK, f"answers, {waiting:,} messages wait" if waiting else "answers, nothing waits")


def _client(status: Status) -> Part:
    if status.client_error is None:
        return Part("Client", OK, "answers")
    advice = "What the shop shows is unknown. Changes wait here until its web service and MongoDB answer."
    return Part("Client", SILENT, "cannot be asked", None, advice)


def _worker(status: Status) -> Part:
    name = "Worker and beat"
    if status.client is None:
        return Part(name, UNKNOWN, "unknown: the Client would know")
    seen = status.client.worker_seen_at
    if seen is not None and status.now - seen < QUIET:
        return Part(name, OK, "at work", seen)
    words = "no sign of life" if seen else "never seen"
    advice = "Are “celery -A tasks worker” and “celery -A tasks beat” running, and does the broker answer?"
    return Part(name, SILENT, words, seen, advice)
