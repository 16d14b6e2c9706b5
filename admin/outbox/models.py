"""Tables of the replication. ``replication`` is a transactional outbox keyed by product: one row each."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model
from contract.causation import Cause
from contract.versions import label
from runtime.correlation import MAX_ID

# States of a replication row. Only sent ones take up their lane's window.
FRESH = "fresh"  # changed; the relay has not sent this sequence
SENT = "sent"  # sent by the relay, not verified yet
STUCK = "stuck"  # sent several times while later ones arrived; tried slowly, for ever
VERIFIED = "verified"  # the Client holds it


class Replication(Model):
    """What the Client is known to hold of one product, and when to look again."""

    __tablename__ = "replication"
    __table_args__ = (
        Index("ix_replication_due", "lane", "state", "due_at"),
        Index("ix_replication_pending", "pending_since"),
    )

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    checksum: Mapped[str] = mapped_column(String(32))
    verified_sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    pending_since: Mapped[datetime | None] = mapped_column(Moment)
    lane: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8))
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(String(500))
    # what caused the latest change, for the message that carries it
    request_id: Mapped[str | None] = mapped_column(String(MAX_ID))
    traceparent: Mapped[str | None] = mapped_column(String(55))

    @property
    def label(self) -> str:
        return label(self.product_id, self.sequence)

    @property
    def cause(self) -> Cause:
        return Cause(self.request_id, self.traceparent)


class ProductChange(Model):
    """Append-only log for people; delivery never reads it."""

    __tablename__ = "product_changes"
    __table_args__ = (
        Index("ix_product_changes_product", "product_id", "sequence"),
        Index("ix_product_changes_changed", "changed_at"),
        Index(
            "ix_product_changes_unverified", "product_id", "verified_at"
        ),  # a verification reads what is not verified, not all
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    product_id: Mapped[int] = mapped_column(BigId)
    sequence: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))  # created, updated, deleted, restored
    author: Mapped[str] = mapped_column(String(254))
    changed_at: Mapped[datetime] = mapped_column(Moment)
    first_sent_at: Mapped[datetime | None] = mapped_column(Moment)  # by the relay; None: the eager publisher was enough
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # that were lost
    error: Mapped[str | None] = mapped_column(String(500))
    applied_at: Mapped[datetime | None] = mapped_column(Moment)  # at the Client, by Admin's clock; None: not known
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    request_id: Mapped[str | None] = mapped_column(String(MAX_ID))


class LaneProgress(Model):
    """Per lane: when the latest verified row was sent (rows sent before it and not arrived were lost), and the last
    result: which product at which sequence was verified, and when.
    """

    __tablename__ = "lane_progress"

    lane: Mapped[str] = mapped_column(String(16), primary_key=True)
    verified_sent_at: Mapped[datetime | None] = mapped_column(Moment)
    last_product_id: Mapped[int | None] = mapped_column(BigId)
    last_sequence: Mapped[int | None] = mapped_column(BigInteger)
    last_verified_at: Mapped[datetime | None] = mapped_column(Moment)


class ResyncRun(Model):
    """A resync of many products, requested by staff; the relays mark them, a chunk at a time, up to the last."""

    __tablename__ = "resync_runs"
    __table_args__ = (Index("ix_resync_runs_finished", "finished_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    what: Mapped[str] = mapped_column(String(8))  # all, stuck
    by: Mapped[str] = mapped_column(String(254))
    total: Mapped[int] = mapped_column(Integer)  # when it was asked for
    marked: Mapped[int] = mapped_column(Integer, default=0)
    after_id: Mapped[int] = mapped_column(BigInteger, default=0)
    requested_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)  # all are marked, or it was stopped
    stopped_by: Mapped[str | None] = mapped_column(String(254))

    @property
    def request_id(self) -> str:
        """What the logs of all processes carry for what this run has looked after."""
        return f"resync-{self.id}"


class SyncState(Model):
    """One row: the epoch of every sequence made from now on (see ``contract.versions``)."""

    __tablename__ = "sync_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(Integer)


class SyncGeneration(Model):
    """One row: what tells a restored database (see ``admin.relay.restore_detection``), and the alarm about it."""

    __tablename__ = "sync_generations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    raised: Mapped[int] = mapped_column(BigInteger)  # the highest told to the Client
    acknowledged: Mapped[int] = mapped_column(BigInteger)  # the highest the Client is known to keep
    alarm: Mapped[str | None] = mapped_column(String(8))  # whose database came back older: admin, client
    alarm_since: Mapped[datetime | None] = mapped_column(Moment)
