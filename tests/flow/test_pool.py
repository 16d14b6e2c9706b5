"""What Admin's pool of connections gives back to the next request."""

import gc
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from admin.db.extensions import db
from tests.flow.stores import admin_on, unique_name
from tools.stack.servers.mariadb import MariaDB

LOCK = "SELECT epoch FROM sync_state WHERE id = 1 FOR UPDATE"


@pytest.fixture
def engine(mariadb: MariaDB) -> Iterator[Engine]:
    with admin_on(mariadb.create_database(unique_name())):
        yield db.engine


def dropped(engine: Engine) -> None:
    """As in a thread that ends in the middle of its work."""
    connection = engine.connect()
    connection.execute(text(LOCK))
    del connection
    gc.collect()


def used_past_sqlalchemy(engine: Engine) -> None:
    raw = engine.raw_connection()
    raw.cursor().execute(LOCK)
    raw.close()


def dropped_after_a_commit(engine: Engine) -> None:
    connection = engine.connect()
    connection.execute(text(LOCK))
    connection.commit()
    connection.execute(text(LOCK))
    del connection
    gc.collect()


def closed_in_the_middle(engine: Engine) -> None:
    connection = engine.connect()
    connection.execute(text(LOCK))
    connection.close()


@pytest.mark.parametrize("leave", [dropped, dropped_after_a_commit, used_past_sqlalchemy, closed_in_the_middle])
def test_connection_that_was_left_with_locks_holds_none_in_the_pool(
    engine: Engine, leave: Callable[[Engine], None]
) -> None:
    leave(engine)
    with engine.connect(), engine.connect() as other:  # the pool gives out first what came back last
        other.execute(text(f"{LOCK} NOWAIT"))
        other.rollback()


def test_connection_whose_transaction_ended_is_not_asked_again(engine: Engine) -> None:
    def rollbacks() -> int:
        with engine.connect() as connection:  # the same one each time
            _name, count = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Com_rollback'").one()
            connection.commit()
        return int(count)

    with engine.connect() as connection:
        connection.execute(text(LOCK))
        connection.rollback()
    before = rollbacks()
    for end in ("commit", "rollback"):
        with engine.connect() as connection:
            connection.execute(text(LOCK))
            getattr(connection, end)()
    assert rollbacks() - before == 1, "the one that was asked for"


@pytest.mark.usefixtures("engine")
def test_session_whose_connection_was_lost_ends_without_an_error(mariadb: MariaDB) -> None:
    [(number,)] = db.session.execute(text("SELECT CONNECTION_ID()")).all()
    mariadb.execute(f"KILL {number}")
    with pytest.raises(OperationalError):
        db.session.execute(text(LOCK))
    db.session.remove()
    assert db.session.execute(text(LOCK)).scalar_one() == 0
    db.session.rollback()
