"""Covers where MySQL, MariaDB and SQLite differ: isolation, locks, clocks, upserts. No other module checks for one."""

import math
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import structlog
from flask import has_request_context, request
from pymysql.constants import CLIENT, SERVER_STATUS  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import BigInteger, Connection, DateTime, Engine, Float, Integer, Select, Table, event, make_url
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import PoolResetState
from sqlalchemy.sql.functions import FunctionElement

from admin.db.extensions import db
from admin.db.json_text import CONVERSIONS
from web.http import changes

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger(__name__)

_MYSQL = ("mysql", "mariadb")
Moment = DateTime().with_variant(mysql.DATETIME(fsp=3), *_MYSQL)  # UTC, milliseconds, as in BSON
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite increments INTEGER alone

OUTAGES = (OperationalError, InterfaceError, PoolTimeoutError)  # outages of the database, not errors in our code
LOCK_WAIT_SECONDS = 5
SEVERAL = "several_statements"  # execution option of a command that consists of several (admin.db.writes)
_IDLE = "idle"  # key in a pooled connection's info: SQLAlchemy ended its last transaction
UNCHECKED_SECONDS = 0.6  # after its use a pooled connection counts as alive; an idle relay pauses for less
_RETRYABLE = {1205, 1213}  # lock wait timeout, deadlock: the server rolled back and asks for a retry
_MAX_TRIES = 5


class utc_now(FunctionElement[datetime]):
    """The database's clock in UTC, with milliseconds. Hosts' clocks differ; the database has one."""

    type = Moment
    inherit_cache = True


@compiles(utc_now, "sqlite")
def _utc_now_sqlite(*_args: Any, **_options: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(utc_now, "mysql")
@compiles(utc_now, "mariadb")
def _utc_now_mysql(*_args: Any, **_options: Any) -> str:
    return "UTC_TIMESTAMP(3)"


class unix_seconds(FunctionElement[float]):
    """A time as seconds since 1970, to compute differences and buckets of time."""

    type = Float()
    inherit_cache = True


@compiles(unix_seconds, "sqlite")
def _unix_seconds_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"((julianday({compiler.process(element.clauses, **options)}) - 2440587.5) * 86400.0)"


@compiles(unix_seconds, "mysql")
@compiles(unix_seconds, "mariadb")
def _unix_seconds_mysql(element: Any, compiler: Any, **options: Any) -> str:
    # UNIX_TIMESTAMP depends on the session's time zone and ends in 2038
    return f"(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {compiler.process(element.clauses, **options)}) / 1e6)"


def engine_options(url: str) -> dict[str, Any]:
    """Return create_engine's options for ``url``."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": LOCK_WAIT_SECONDS}}
    return {
        # Under MySQL's default a claim that exhausts the due rows blocks inserts until the lock timeout.
        "isolation_level": "READ COMMITTED",
        "pool_reset_on_return": None,  # see _end_transaction
        "pool_recycle": 1800,
        "pool_use_lifo": True,  # the connection used last, which needs no ping
        "pool_size": 10,
        "pool_timeout": 10,
        "connect_args": {
            **_password(url),
            "charset": "utf8mb4",
            "conv": CONVERSIONS,
            "client_flag": CLIENT.MULTI_STATEMENTS,  # see admin.db.writes
            "connect_timeout": 5,
            "read_timeout": 30,
            "write_timeout": 30,
            "init_command": (
                f"SET time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}, "
                "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'"
            ),
        },
    }


def _password(url: str) -> dict[str, bytes]:
    """Return the password as UTF-8. PyMySQL would encode text as latin-1, and show it in the error where it cannot."""
    password = make_url(url).password
    return {"password": password.encode()} if password else {}


def init_engine(engine: Engine) -> None:
    """Make SQLite's transactions safe for several processes, and MySQL's pooled connections safe to reuse.

    Also records commits, so that an error's answer can say whether something was saved.
    """
    event.listen(engine, "commit", lambda _connection: changes.record_write())
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "do_execute", _read_all_results)
        event.listen(engine, "checkout", _ping)
        event.listen(engine, "checkin", _record_use)
        event.listen(engine, "begin", _record_begin)
        event.listen(engine, "commit", _record_end)
        event.listen(engine, "rollback", _record_end)
        event.listen(engine, "reset", _end_transaction)


def _read_all_results(cursor: Any, text: str, values: Any, context: Any) -> bool:
    """Execute a command of ``SEVERAL`` statements. The result of each has to be read, or its error would be lost."""
    if not context.execution_options.get(SEVERAL):
        return False  # SQLAlchemy executes it
    cursor.execute(text, values)
    while cursor.nextset():
        pass
    return True


def _ping(connection: Any, record: Any, _proxy: Any) -> None:
    """Replace dead connections. SQLAlchemy's own pre-ping would ping at each of two or three checkouts per request."""
    if time.monotonic() - record.info.get("used", math.inf) > UNCHECKED_SECONDS:
        try:
            connection.ping(reconnect=False)
        except Exception as error:
            raise InvalidatePoolError from error


def _record_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _record_begin(connection: Connection) -> None:
    connection.info[_IDLE] = False


def _record_end(connection: Connection) -> None:
    """Record the end, before the server confirms it; ``_end_transaction`` checks the server's status."""
    if not connection.invalidated:
        connection.info[_IDLE] = True


def _end_transaction(connection: Any, record: Any, state: PoolResetState) -> None:
    """Roll back unless the connection is known to be idle: ended by a commit or rollback that the server confirmed.

    A session ends its transaction itself, so this rarely costs a round trip. The server's last status is not enough:
    PyMySQL reads it only from answers without rows, and a locking read has rows.
    """
    idle = record.info.pop(_IDLE, False) and not connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS
    if not state.terminate_only and not idle:
        connection.rollback()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late; _begin_sqlite sends it
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    # SQLite ignores FOR UPDATE: only a write lock from the start prevents two edits of the same version.
    # A GET never writes, so it does not wait for a writer.
    reads_only = has_request_context() and request.method in {"GET", "HEAD", "OPTIONS"}
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def upsert(model: Any, rows: Iterable[dict[str, Any]], set_: Callable[[Any], dict[str, Any]]) -> Any:
    """Return one multi-row INSERT that updates the rows whose primary key exists.

    ``set_`` gets the new row and returns the columns to set, with their values. Without any, existing rows stay.
    """
    if db.engine.dialect.name == "sqlite":
        insert = sqlite.insert(model).values(list(rows))
        keys = [column.name for column in model.__table__.primary_key]
        values = set_(insert.excluded)
        return insert.on_conflict_do_update(keys, set_=values) if values else insert.on_conflict_do_nothing(keys)
    statement = mysql.insert(model).values(list(rows))
    values = set_(statement.inserted)
    return statement.on_duplicate_key_update(values) if values else statement.prefix_with("IGNORE")


def table(model: type[Any]) -> Table:
    """Return ``model``'s table, for statements of columns, which make no objects."""
    return cast(Table, model.__table__)


def end_read() -> None:
    """End a transaction that only read where it would keep writers out: SQLite's. MySQL's costs nothing while it is
    open, and a round trip to end; the use case that follows continues in it.
    """
    if db.engine.dialect.name == "sqlite":
        db.session.rollback()


def any_row(query: Select[Any]) -> bool:
    """Return whether ``query``, of columns, finds a row, in a transaction of its own."""
    found = db.session.connection().execute(query).first()
    db.session.rollback()
    return found is not None


def retry_deadlocks(use_case: Callable[P, R]) -> Callable[P, R]:
    """Retry a use case from its start where the database ended its transaction to resolve a deadlock."""

    @wraps(use_case)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for tries_left in reversed(range(_MAX_TRIES)):
            try:
                return use_case(*args, **kwargs)
            except OperationalError as error:
                db.session.rollback()
                if not tries_left or error_code(error) not in _RETRYABLE:
                    raise
                log.info("transaction retried", use_case=use_case.__name__, code=error_code(error))
        raise AssertionError("unreachable")

    return wrapper


def error_code(error: DBAPIError) -> int | None:
    """Return MySQL's error number, None for other databases."""
    code = error.orig.args[0] if error.orig and error.orig.args else None
    return code if isinstance(code, int) else None
