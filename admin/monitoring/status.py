"""Computes what is out of sync, since when and why, from the stores at each request."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.monitoring.queue_depths import queue_depths
from admin.outbox.client_gateway import ClientUnavailableError, client_gateway
from admin.outbox.models import SENT, STUCK, LaneProgress, ProductChange, Replication, SyncGeneration
from admin.reconcile import check
from contract.messages import MAX_IDS, parse_time
from contract.service_calls import STATE
from contract.versions import version_of

WINDOW = timedelta(hours=1)
SAMPLE = 10_000  # of the window's changes, the latest, so that a status's cost is bounded
TIMEOUT_SECONDS = 3.0  # for the Client, and for the broker

# States from bad to good. The first that applies is the state.
RESTORED, UNKNOWN, DRIFTED, STUCK_ROWS, PENDING, IN_SYNC = "restored", "unknown", "drift", "stuck", "pending", "in_sync"


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest change that the Client does not show."""

    product_id: int
    version: int
    since: datetime
    age: float  # seconds
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from commit to visible at the Client, of ``changes`` that arrived; None without any."""

    p50: float | None
    p99: float | None
    changes: int


@dataclass(frozen=True, slots=True)
class LastResult:
    """The product that was verified last."""

    product_id: int
    version: int
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class ClientState:
    """What waits at the Client: likes for Admin (``likes_oldest_age`` in seconds), dead letters, images to be copied.

    ``worker_seen_at`` is the last heartbeat of a worker, by this database's clock; beat enqueues one every 15 seconds.
    """

    likes_pending: int
    likes_oldest_age: float | None
    likes_parked: int
    dead_letters: int
    images_wanted: int = 0
    worker_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The replication's status. ``pending`` counts unverified products, ``in_flight`` and ``stuck`` included.

    ``drift`` is the result of the scheduled comparison. ``queues`` are messages by queue, None where the broker does
    not answer. ``client`` is None where the Client does not answer, for the reason ``client_error``. ``alarm`` is
    whose database was restored from a backup.
    """

    state: str
    pending: int
    in_flight: int
    stuck: int
    oldest: Oldest | None
    lag: Lag
    last_result: LastResult | None
    drift: check.Summary
    queues: Mapping[str, int | None]
    client: ClientState | None
    client_error: str | None
    alarm: str | None
    alarm_since: datetime | None
    now: datetime


def status() -> Status:
    """Return the replication's status, within seconds even if the Client and the broker do not answer."""
    now = db.session.execute(select(utc_now())).scalar_one()
    counts = _counts()
    pending = _oldest_pending()
    lag, last, drift = _lag(now), _last_result(), check.summary()
    alarm, alarm_since = db.session.execute(select(SyncGeneration.alarm, SyncGeneration.alarm_since)).one()
    db.session.rollback()  # no transaction stays open during the calls to the Client and the broker
    unapplied, client_error = _not_applied(pending)
    client = _client_state() if client_error is None else None
    stuck = counts.get(STUCK, 0)
    oldest = _show(unapplied[0], now) if unapplied else None
    return Status(
        state=_state(alarm, client_error, drift.confirmed, stuck, oldest),
        pending=sum(counts.values()),
        in_flight=counts.get(SENT, 0),
        stuck=stuck,
        oldest=oldest,
        lag=lag,
        last_result=last,
        drift=drift,
        queues=queue_depths(TIMEOUT_SECONDS),
        client=client,
        client_error=client_error,
        alarm=alarm,
        alarm_since=alarm_since,
        now=now,
    )


def _state(alarm: str | None, client_error: str | None, drift: int, stuck: int, oldest: Oldest | None) -> str:
    applies = {
        RESTORED: alarm,
        UNKNOWN: client_error,
        DRIFTED: drift,
        STUCK_ROWS: stuck,
        PENDING: oldest,
    }
    return next((state for state, it in applies.items() if it), IN_SYNC)


def _counts() -> dict[str, int]:
    query = select(Replication.state, func.count()).where(Replication.pending_since.is_not(None))
    return dict(db.session.execute(query.group_by(Replication.state)).tuples().all())


def _oldest_pending() -> Sequence[Replication]:
    query = select(Replication).where(Replication.pending_since.is_not(None)).order_by(Replication.pending_since)
    rows = db.session.execute(query.limit(MAX_IDS + 1)).scalars().all()
    db.session.expunge_all()
    return rows


def _not_applied(rows: Sequence[Replication]) -> tuple[list[Replication], str | None]:
    """Return the rows that have not arrived, verified or not; and the error where the Client does not answer."""
    try:
        answer = client_gateway().replica_states([row.product_id for row in rows[:MAX_IDS]], timeout=TIMEOUT_SECONDS)
    except ClientUnavailableError as error:
        return list(rows), str(error)
    shown = {id_: (copy.sequence, copy.checksum) for id_, copy in answer.states.items()}
    return [row for row in rows if shown.get(row.product_id) != (row.sequence, row.checksum)], None


_CLIENT_FIELDS = ("likes_pending", "likes_oldest_age", "likes_parked", "dead_letters")


def _client_state() -> ClientState | None:
    """Return the Client's state, None where its answer fails or cannot be read."""
    try:
        found = client_gateway().ask(STATE, {}, TIMEOUT_SECONDS)
        seen = _by_admins_clock(found.get("worker_seen_at"), found.get("now"))
        known = {name: found[name] for name in _CLIENT_FIELDS}  # a newer Client sends more
        known["images_wanted"] = found.get("images_wanted", 0)  # an older Client does not send it
        return ClientState(**known, worker_seen_at=seen)
    except (ClientUnavailableError, TypeError, AttributeError, KeyError, ValueError):
        return None


def _lag(now: datetime) -> Lag:
    latest = (
        select(ProductChange.changed_at, ProductChange.applied_at)
        .where(ProductChange.changed_at > now - WINDOW)
        .order_by(ProductChange.changed_at.desc())
        .limit(SAMPLE)
    )
    rows = db.session.execute(latest).tuples().all()
    # the difference of two clocks may be negative by milliseconds
    lags = sorted(max(0.0, (applied - changed).total_seconds()) for changed, applied in rows if applied)
    return Lag(_percentile(lags, 0.5), _percentile(lags, 0.99), len(lags))


def _percentile(ordered: list[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of them do not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _last_result() -> LastResult | None:
    query = select(LaneProgress).where(LaneProgress.last_verified_at.is_not(None))
    row = db.session.execute(query.order_by(LaneProgress.last_verified_at.desc()).limit(1)).scalar_one_or_none()
    if row is None or row.last_product_id is None or row.last_sequence is None or row.last_verified_at is None:
        return None
    return LastResult(row.last_product_id, version_of(row.last_sequence), row.last_verified_at)


def _show(row: Replication, now: datetime) -> Oldest:
    since = row.pending_since or now
    age = max(0.0, (now - since).total_seconds())
    return Oldest(row.product_id, version_of(row.sequence), since, age, row.state, row.last_error)


def _by_admins_clock(seen: str | None, now: str | None) -> datetime | None:
    """Convert a time of the Client's database, whose clock shows ``now``, to this database's clock."""
    if seen is None:
        return None
    then = parse_time(seen).replace(tzinfo=None)
    if now is None:  # an older Client does not send it
        return then
    ours: datetime = db.session.execute(select(utc_now())).scalar_one()
    db.session.rollback()
    return then + (ours - parse_time(now).replace(tzinfo=None))
