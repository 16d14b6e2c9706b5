"""Tables of staff, sign-ins, API keys and the audit trail."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from admin.db.engine import BigId, Moment
from admin.db.extensions import Model

VIEWER, EDITOR, OWNER = ROLES = ("viewer", "editor", "owner")  # each includes the rights of those before it


class Staff(Model):
    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # lower case
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)


class SignIn(Model):
    """A sign-in of a browser or a program. Its cookie and tokens are valid only while the row exists."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)  # random
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    refresh_id: Mapped[str | None] = mapped_column(String(36))  # of the valid refresh token; None for a browser
    began_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class ApiKey(Model):
    """An API key. Its secret has 256 random bits, so a fast digest is safe."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))  # shown in lists
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256
    role: Mapped[str] = mapped_column(String(8))
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class AuditEvent(Model):
    """An event of an account or key: by whom, to which, from which address."""

    __tablename__ = "audit_events"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    kind: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str | None] = mapped_column(String(254))
    detail: Mapped[str | None] = mapped_column(String(254))
    address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
