"""Tables of the replication. ``replication`` is the transactional outbox: one row per product."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model
from contract.causation import Cause
from contract.versions import label
from runtime.correlation import MAX_ID

# States of an outbox row. Only rows in SENT count towards their lane's window.
FRESH = "fresh"  # changed; the relay has not sent this sequence
SENT = "sent"  # sent by the relay, not verified yet
STUCK = "stuck"  # lost several times while later rows arrived; retried slowly, for ever
VERIFIED = "verified"  # the Client stores exactly this sequence and content


class Replication(Model):
    """The outbox row of one product: what the Client has to store, what it is known to store, and the next check."""

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
    # cause of the latest change, sent with its message
    request_id: Mapped[str | None] = mapped_column(String(MAX_ID))
    traceparent: Mapped[str | None] = mapped_column(String(55))

    @property
    def label(self) -> str:
        return label(self.product_id, self.sequence)

    @property
    def cause(self) -> Cause:
        return Cause(self.request_id, self.traceparent)


class ProductChange(Model):
    """One version of a product, in an append-only log for people; delivery never reads it."""

    __tablename__ = "product_changes"
    __table_args__ = (
        Index("ix_product_changes_product", "product_id", "sequence"),
        Index("ix_product_changes_changed", "changed_at"),
        # Lets a verification read a product's unverified changes instead of its whole history.
        Index("ix_product_changes_unverified", "product_id", "verified_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    product_id: Mapped[int] = mapped_column(BigId)
    sequence: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))  # created, updated, deleted, restored
    author: Mapped[str] = mapped_column(String(254))
    changed_at: Mapped[datetime] = mapped_column(Moment)
    first_sent_at: Mapped[datetime | None] = mapped_column(Moment)  # by the relay; None: the relay never sent it
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # lost ones
    error: Mapped[str | None] = mapped_column(String(500))
    applied_at: Mapped[datetime | None] = mapped_column(Moment)  # at the Client, by Admin's clock; None: unknown
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    request_id: Mapped[str | None] = mapped_column(String(MAX_ID))


class LaneProgress(Model):
    """The latest verification of a lane. A row sent before ``verified_sent_at`` and still unverified was lost."""

    __tablename__ = "lane_progress"

    lane: Mapped[str] = mapped_column(String(16), primary_key=True)
    verified_sent_at: Mapped[datetime | None] = mapped_column(Moment)
    last_product_id: Mapped[int | None] = mapped_column(BigId)
    last_sequence: Mapped[int | None] = mapped_column(BigInteger)
    last_verified_at: Mapped[datetime | None] = mapped_column(Moment)


class ResyncRun(Model):
    """A resync of many products that staff requested. The relays make the products pending, chunk by chunk."""

    __tablename__ = "resync_runs"
    __table_args__ = (Index("ix_resync_runs_finished", "finished_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    scope: Mapped[str] = mapped_column(String(8))  # all, stuck
    requested_by: Mapped[str] = mapped_column(String(254))
    total: Mapped[int] = mapped_column(Integer)  # products selected at the request
    marked: Mapped[int] = mapped_column(Integer, default=0)  # made pending so far
    after_id: Mapped[int] = mapped_column(BigInteger, default=0)
    requested_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)  # all are pending, or it was stopped
    stopped_by: Mapped[str | None] = mapped_column(String(254))

    @property
    def request_id(self) -> str:
        """The request id that the logs of all processes show for the products of this run."""
        return f"resync-{self.id}"


class SyncState(Model):
    """One row: the epoch of new sequences (see ``contract.versions``)."""

    __tablename__ = "sync_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(Integer)


class SyncGeneration(Model):
    """One row: the generations that detect a restored database (``admin.relay.restore_detection``), and the alarm."""

    __tablename__ = "sync_generations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    raised: Mapped[int] = mapped_column(BigInteger)  # the highest sent to the Client
    acknowledged: Mapped[int] = mapped_column(BigInteger)  # the highest that the Client confirmed
    alarm: Mapped[str | None] = mapped_column(String(8))  # whose database was restored: admin, client
    alarm_since: Mapped[datetime | None] = mapped_column(Moment)
