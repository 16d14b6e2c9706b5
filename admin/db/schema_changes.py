"""Runs migrations while services read and write the database (decision 19)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from pymysql import OperationalError  # type: ignore[import-untyped]  # it ships no types
from pymysql.constants.ER import LOCK_WAIT_TIMEOUT  # type: ignore[import-untyped]
from sqlalchemy import Connection, Engine, NullPool, create_engine, event

from admin.db.engine import engine_options, init_engine

LOCK_WAIT_SECONDS = 1  # statements after one that waits for a table wait too
RETRY_PAUSE = 2.0  # seconds, in which they run
TRIES = 200
_ONLINE = {"ALTER TABLE": ", LOCK=NONE", "CREATE INDEX": " LOCK=NONE", "CREATE UNIQUE": " LOCK=NONE"}

log = structlog.get_logger(__name__)


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    """Yield a connection for migrations.

    On MySQL and MariaDB statements have no time limit, but must not block other statements: one that would lock out
    readers or writers fails, and one that has to wait for a table gives way to others and retries.
    """
    engine = create_engine(url, **_options(url))
    init_engine(engine)
    if engine.dialect.name != "sqlite":  # SQLite has one writer at a time anyway
        _give_way(engine)
    with engine.connect() as connected:
        yield connected
    engine.dispose()


def _options(url: str) -> dict[str, Any]:
    options = {name: value for name, value in engine_options(url).items() if not name.startswith("pool_")}
    no_limit = dict.fromkeys({"read_timeout", "write_timeout"} & options["connect_args"].keys())
    return {**options, "connect_args": options["connect_args"] | no_limit, "poolclass": NullPool}


def _give_way(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _wait_briefly(connected: Any, _record: Any) -> None:
        with connected.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")

    @event.listens_for(engine, "do_execute")
    def _retry(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        statement = _online(statement)
        for tries_left in reversed(range(TRIES)):
            try:
                cursor.execute(statement, parameters)
                break
            except OperationalError as error:
                if error.args[0] != LOCK_WAIT_TIMEOUT or not tries_left:
                    raise
                log.info("a table is in use; retrying", statement=statement[:100])
                time.sleep(RETRY_PAUSE)
        return True


def _online(statement: str) -> str:
    statement = statement.strip()
    return statement + next((clause for verb, clause in _ONLINE.items() if statement.startswith(verb)), "")
