"""Tables of the import jobs. A job's file is stored, in pieces, until the job is finished."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.catalogue.images.models import Bytes
from admin.db.engine import BigId, Moment
from admin.db.extensions import Model

# UPLOADING: the file is not complete. The last three are final.
UPLOADING, WAITING, RUNNING, DONE, CANCELLED, FAILED = STATES = (
    "uploading",
    "waiting",
    "running",
    "done",
    "cancelled",
    "failed",
)
ACTIVE = (WAITING, RUNNING)


class ImportJob(Model):
    """The import of one file.

    ``line`` of ``lines`` is its position, ``rows`` the number of rows so far, followed by their results.
    ``active_file`` is the file's digest until the job is finished: unique, so that a file has one job at a time.
    """

    __tablename__ = "import_jobs"
    __table_args__ = (Index("ix_import_jobs_state", "state", "claimed_until"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(8))
    size: Mapped[int] = mapped_column(Integer)  # bytes
    author: Mapped[str] = mapped_column(String(254))
    active_file: Mapped[str | None] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    lines: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Integer)
    updated: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    repeated: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(500))  # why the job as a whole failed
    submitted_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    claimed_by: Mapped[str | None] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def request_id(self) -> str:
        """The request id that the logs of all processes show for the changes of this job."""
        return f"import-{self.id}"

    @property
    def seconds(self) -> float:
        """The time from its start to its last progress."""
        return (self.updated_at - self.started_at).total_seconds() if self.started_at else 0.0

    @property
    def rate(self) -> float | None:
        """Rows per second, None before the first rows."""
        return self.rows / self.seconds if self.seconds > 0 and self.rows else None

    @property
    def percent(self) -> int:
        return 100 if self.state == DONE else min(99, 100 * self.line // max(self.lines, 1))


class ImportPiece(Model):
    """A piece of a job's file."""

    __tablename__ = "import_pieces"

    job_id: Mapped[int] = mapped_column(BigId, ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(Bytes)


class RowError(Model):
    """A skipped row, and why."""

    __tablename__ = "import_errors"

    job_id: Mapped[int] = mapped_column(BigId, ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
