"""Tables of the scheduled check: its findings, and its position."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model


class Drift(Model):
    """A product that differs without a pending row; ``confirmed_at`` is set once a second check finds the same."""

    __tablename__ = "drift"

    product_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    replica_sequence: Mapped[int | None] = mapped_column(BigInteger)  # None: the Client had no copy
    replica_checksum: Mapped[str | None] = mapped_column(String(32))
    first_seen_at: Mapped[datetime] = mapped_column(Moment)
    checked_at: Mapped[datetime] = mapped_column(Moment, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)


class DriftCheck(Model):
    """One row: the position of the pass, and when the next check is due."""

    __tablename__ = "drift_check"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    after_id: Mapped[int | None] = mapped_column(BigInteger)  # None: a new pass begins
    due_at: Mapped[datetime] = mapped_column(Moment)
    paused_until: Mapped[datetime | None] = mapped_column(Moment)  # until then only suspects are checked
    pass_finished_at: Mapped[datetime | None] = mapped_column(Moment)
