"""Checks of Admin: its database, its migrations, and whether a relay runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, event, select, text
from sqlalchemy.exc import DBAPIError

from admin.config import AdminSettings
from admin.core import create_core
from admin.db import schema
from admin.db.engine import OUTAGES, utc_now
from admin.db.extensions import db
from admin.reconcile import check
from lockstep.doctor.findings import OK, Finding, clock_difference, down, failed, heartbeat, ok, warning

OLDEST = {"mysql": (8, 0, 16), "mariadb": (10, 6), "sqlite": (3, 35)}  # FOR UPDATE SKIP LOCKED; upserts
_SECONDS = 5

_ACCESS_DENIED, _NO_DATABASE = {1044, 1045, 1698}, {1049}
_FLUSH = "Set innodb_flush_log_at_trx_commit = 1 in its configuration, or accept to lose the last second."


def database(settings: AdminSettings) -> Iterator[Finding]:
    """Check the database, the migrations and the relay; stop at the first that makes the next impossible."""
    app = create_core(settings)
    with app.app_context():
        event.listen(db.engine, "do_connect", _set_read_timeout)
        try:
            with db.engine.connect() as connection:
                yield from _server(connection)
                migrations = _migrations(connection)
                yield migrations
        except OUTAGES as error:
            yield _not_answering(error)
            return
        if migrations.state == OK:
            yield _relay()


def _set_read_timeout(dialect: Dialect, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
    """Give up on a frozen server, which accepts connections and never answers, sooner than the services do."""
    if dialect.name != "sqlite":
        options["read_timeout"] = _SECONDS


def _not_answering(error: Exception) -> Finding:
    original = getattr(error, "orig", None)
    code = original.args[0] if original is not None and original.args else None
    what = str(original or error)
    if code in _ACCESS_DENIED:
        return down(
            "admin database",
            what,
            "The user or password in ADMIN_DATABASE_URL is wrong, or a privilege is missing.",
        )
    if code in _NO_DATABASE:
        return down("admin database", what, "CREATE DATABASE, then 'lockstep migrate admin'.")
    return down(
        "admin database",
        what,
        "Start the server, or correct host and port in ADMIN_DATABASE_URL as seen from this host.",
    )


def _server(connection: Connection) -> Iterator[Finding]:
    dialect = connection.dialect
    kind = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    version = dialect.server_version_info or ()
    shown = f"{kind} {'.'.join(map(str, version[:3]))}"
    if tuple(part for part in version if isinstance(part, int)) < OLDEST[kind]:
        least = ".".join(map(str, OLDEST[kind]))
        yield failed(
            "admin database", f"is {shown}", f"Use {kind} {least} or newer: claims need FOR UPDATE SKIP LOCKED."
        )
    else:
        yield ok("admin database", f"{shown} answers")
    if kind != "sqlite":
        now = connection.execute(select(utc_now())).scalar_one()
        yield clock_difference("admin database's clock", now, datetime.now(UTC).replace(tzinfo=None), "its clock")
        if connection.execute(text("SELECT @@innodb_flush_log_at_trx_commit")).scalar_one() != 1:
            yield warning(
                "admin database", "does not flush each commit to the disk: a power cut loses the last ones", _FLUSH
            )


def _migrations(connection: Connection) -> Finding:
    scripts = ScriptDirectory.from_config(schema.config())
    at, wanted = MigrationContext.configure(connection).get_current_revision(), scripts.get_current_head()
    if at == wanted:
        return ok("admin migrations", f"at {at}")
    if at is not None and at not in {script.revision for script in scripts.walk_revisions()}:
        what = f"the database is at {at}, which this version does not know: a newer version migrated it"
        return failed("admin migrations", what, "Install the version that migrated it, or a newer one, on this host.")
    return failed("admin migrations", f"at {at or 'nothing'}, this version needs {wanted}", "lockstep migrate admin")


def _relay() -> Finding:
    try:
        seen, now = check.summary().checked_at, db.session.execute(select(utc_now())).scalar_one()
    except DBAPIError as error:
        return failed("relay", f"unknown: {error.orig}", "lockstep migrate admin")
    return heartbeat("relay", seen, now, "Start 'lockstep relay'; 'lockstep health relay' checks one.")
