"""The audit trail of accounts and keys. Changes of products are in the change log instead."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import has_request_context, request
from sqlalchemy import delete, select

from admin.accounts.models import AuditEvent
from admin.db.engine import retry_deadlocks, utc_now
from admin.db.extensions import db
from web.http import cursors
from web.http.request_ids import request_id

RETENTION = timedelta(days=365)
PURGE_CHUNK = 1_000  # rows per transaction
_MAX_LENGTH = 254


@dataclass(frozen=True, slots=True)
class AuditPage:
    items: list[AuditEvent]
    next_cursor: str | None


def record(kind: str, actor: str, subject: str | None = None, detail: str | None = None) -> None:
    """Record an event. ``kind`` is in the past tense. The caller commits it together with the change."""
    address = request.remote_addr if has_request_context() else None
    subject = subject[:_MAX_LENGTH] if subject else None
    row = AuditEvent(kind=kind, actor=actor[:_MAX_LENGTH], subject=subject, detail=detail, address=address)
    row.at, row.request_id = utc_now(), request_id()
    db.session.add(row)


def list_events(limit: int, cursor: str | None, kind: str | None = None) -> AuditPage:
    """Return one page, newest first. Raises BadCursorError."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit + 1)
    if kind:
        query = query.where(AuditEvent.kind == kind)
    if position := cursors.decode(cursor, "-id"):
        query = query.where(AuditEvent.id < position[0])
    rows: list[Any] = list(db.session.execute(query).scalars())
    more = cursors.encode("-id", [rows[limit - 1].id]) if len(rows) > limit else None
    return AuditPage(rows[:limit], more)


@retry_deadlocks
def purge(retention: timedelta = RETENTION) -> int:
    """Delete the oldest events older than ``retention``, one chunk; return how many. Commits."""
    now = db.session.execute(select(utc_now())).scalar_one()
    old = select(AuditEvent.id).where(AuditEvent.at < now - retention).order_by(AuditEvent.at).limit(PURGE_CHUNK)
    ids = list(db.session.execute(old).scalars())
    if ids:
        db.session.execute(delete(AuditEvent).where(AuditEvent.id.in_(ids)))
    db.session.commit()
    return len(ids)
