"""The servers of a run: private instances, or existing ones by URL."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
from kombu import Connection
from sqlalchemy import create_engine, make_url

from contract.names import DEAD_LETTER_EXCHANGE, EXCHANGE, LANE_QUEUES, QUEUE_DEAD, QUEUE_LIKES, QUEUE_MAINTENANCE
from tools.stack.process import Process, start_all, stop_all
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus

_MEMORY = "1G"  # of MariaDB: a usual size for some hundred thousand products


@dataclass(frozen=True)
class Urls:
    """The URLs of one system's stores and broker."""

    database: str
    mongodb: str
    broker: str


@dataclass(frozen=True)
class Given:
    """URLs of existing servers; None: the benchmark starts one.

    On ``database`` and ``mongodb`` the bench makes databases of its own and drops them; Lockstep's queues in
    ``broker``'s virtual host are deleted.
    """

    database: str | None = None
    mongodb: str | None = None
    broker: str | None = None


class Servers:
    """Provides databases and queues for systems; ``processes`` are the servers started here, by name."""

    def __init__(self, folder: Path, given: Given) -> None:
        self._given = given
        self._mariadb = None if given.database else MariaDB(folder / "mariadb", memory=_MEMORY)
        self._secantus = None if given.mongodb else Secantus(folder / "secantus")
        self._rabbitmq = None if given.broker else RabbitMQ(folder / "rabbitmq")
        found = {"MariaDB": self._mariadb, "SecantusDB": self._secantus, "RabbitMQ": self._rabbitmq}
        self.processes: dict[str, Process] = {name: process for name, process in found.items() if process}

    @contextmanager
    def running(self) -> Iterator["Servers"]:
        """Start the servers that were not given; stop them afterwards."""
        try:
            start_all(self.processes.values())
            yield self
        finally:
            stop_all(self.processes.values())

    @contextmanager
    def room(self) -> Iterator[Urls]:
        """Yield empty databases and queues, and delete them afterwards."""
        name = f"bench{uuid.uuid4().hex[:10]}"
        urls = Urls(self._database(name), self._mongodb(name), self._broker(name))
        try:
            yield urls
        finally:
            self._drop(name, urls)

    def _database(self, name: str) -> str:
        if self._mariadb:
            return self._mariadb.create_database(name)
        _execute(self._given.database, f"CREATE DATABASE `{name}`")
        return make_url(self._given.database or "").set(database=name).render_as_string(hide_password=False)

    def _mongodb(self, name: str) -> str:
        if self._secantus:
            return self._secantus.url(name)
        base, _, options = str(self._given.mongodb).partition("?")
        return f"{'/'.join(base.split('/')[:3])}/{name}{'?' if options else ''}{options}"

    def _broker(self, name: str) -> str:
        if self._rabbitmq:
            return self._rabbitmq.create_vhost(name)
        url = str(self._given.broker)
        _delete_queues(url)
        return url

    def _drop(self, name: str, urls: Urls) -> None:
        _execute(urls.database, f"DROP DATABASE `{name}`")
        if not self._secantus:  # a private one is deleted as a whole, as dropping takes a millisecond per document
            with pymongo.MongoClient[dict[str, Any]](urls.mongodb) as mongo:
                mongo.drop_database(name)
        if self._rabbitmq:
            self._rabbitmq.ctl("delete_vhost", name)


def _execute(url: str | None, statement: str) -> None:
    engine = create_engine(str(url))
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _delete_queues(url: str) -> None:
    with Connection(url) as connection:
        channel: Any = connection.channel()
        for queue in (*LANE_QUEUES.values(), QUEUE_LIKES, QUEUE_MAINTENANCE, QUEUE_DEAD):
            channel.queue_delete(queue)
        for exchange in (EXCHANGE, DEAD_LETTER_EXCHANGE):
            channel.exchange_delete(exchange)
