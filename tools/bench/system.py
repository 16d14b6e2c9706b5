"""All of Lockstep on stores of its own, and further web services beside it."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
from pymongo.database import Database
from sqlalchemy import Engine, create_engine, text

from tools.bench.servers import Urls
from tools.bench.usage import cpu_seconds
from tools.stack import commands, readiness
from tools.stack.api import AdminApi, Api, ClientApi
from tools.stack.ports import HOST, free_port
from tools.stack.process import Process
from tools.stack.product import ROOT, Addresses, Product, Secrets

_FRESH = 120.0  # seconds; a token is valid for 15 minutes, longer than any measurement
_STAFF, _SHOPPER, _PASSWORD = "staff@example.com", "shopper@example.com", "a password of some length"


class System:
    """Every process of Lockstep, running, with a signed-in editor and shopper."""

    def __init__(self, urls: Urls, folder: Path, servers: dict[str, Process]) -> None:
        self.secrets = Secrets()
        ports = {f"{name}_port": free_port() for name in ("admin", "client", "flower")}
        self.addresses = Addresses(urls.database, urls.mongodb, urls.broker, **ports)
        self.logs = folder / "logs"
        self._tokens: dict[str, tuple[str, float]] = {}  # by e-mail: the token and its time
        self.product = Product(self.addresses, self.secrets, folder=folder, logs=self.logs)
        self.servers = servers
        self.engine: Engine = create_engine(urls.database, isolation_level="READ COMMITTED")
        self._mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(urls.mongodb, w="majority", journal=True)
        self.shop: Database[dict[str, Any]] = self._mongo.get_default_database()

    @contextmanager
    def running(self) -> Iterator["System"]:
        """Migrate, create the accounts and start everything; stop it afterwards."""
        self.logs.parent.mkdir(parents=True, exist_ok=True)
        commands.migrate(self.product.env)
        accounts = (["staff", "add", _STAFF], ["shopper", "add", _SHOPPER])
        commands.run_all([([*who, "--password-stdin"], f"{_PASSWORD}\n") for who in accounts], self.product.env)
        try:
            self.product.start()
            yield self
        finally:
            self._end()

    def _end(self) -> None:
        self.product.stop()
        self.engine.dispose()
        self._mongo.close()

    @property
    def staff_token(self) -> str:
        """A bearer token of the editor, valid for some minutes."""
        return self._token(_STAFF, AdminApi(self.addresses.admin_url))

    @property
    def shopper_token(self) -> str:
        """A bearer token of the shopper, valid for some minutes."""
        return self._token(_SHOPPER, ClientApi(self.addresses.client_url))

    def _token(self, email: str, api: Api) -> str:
        token, made = self._tokens.get(email, ("", -math.inf))
        if time.monotonic() - made > _FRESH:
            token = _sign_in(api, email)
            self._tokens[email] = token, time.monotonic()
        return token

    @contextmanager
    def service(self, target: str, processes: int = 1) -> Iterator["Service"]:
        """Run a WSGI app (``module:factory()``) as Lockstep's own services run, with ``processes`` workers."""
        service = Service(self, target, processes)
        try:
            service.start()
            service.wait_ready()
            yield service
        finally:
            service.stop()

    @contextmanager
    def paused(self, *processes: Process) -> Iterator[None]:
        """Freeze ``processes`` within the block."""
        for process in processes:
            process.pause()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def ask(self, query: str, **values: Any) -> Any:
        """Return the first value of the first row."""
        with self.engine.begin() as connection:
            return connection.execute(text(query), values).scalar()

    def settled(self) -> bool:
        """Return whether every product is verified."""
        return self.ask("SELECT product_id FROM replication WHERE pending_since IS NOT NULL LIMIT 1") is None

    def imports_settled(self) -> bool:
        """Return whether every product of an import is verified."""
        pending = "SELECT product_id FROM replication WHERE pending_since IS NOT NULL AND lane = 'bulk' LIMIT 1"
        return self.ask(pending) is None

    def products(self) -> int:
        """Return the number of products on Admin."""
        return int(self.ask("SELECT COUNT(*) FROM products"))

    def product_ids(self) -> list[int]:
        """Return the ids of all products, ascending."""
        with self.engine.begin() as connection:
            return list(connection.execute(text("SELECT id FROM products ORDER BY id")).scalars())

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds used so far by every process and by the servers started here, by name."""
        return {process.name: cpu_seconds(process.pid) for process in (*self.product.processes, *self.servers.values())}


class Service(Process):
    """A web service beside the system's own, at ``port``."""

    def __init__(self, system: System, target: str, processes: int) -> None:
        self.port = free_port()
        command = ["gunicorn", "-c", "gunicorn.conf.py", "-b", f"{HOST}:{self.port}", target]
        env = {**system.product.env, "WEB_CONCURRENCY": str(processes)}
        log = system.logs / f"{target.partition(':')[0]}-{processes}.log"
        super().__init__(target, command, log=log, env=env, cwd=ROOT)
        self.ready = lambda: readiness.answers_ok(self.port, "/readyz")


def per(count: int, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU milliseconds that each process used between two times, for each of ``count`` things done."""
    return {name: 1000 * (after[name] - before[name]) / count for name in before}


def _sign_in(api: Api, email: str) -> str:
    try:
        return api.sign_in(email, _PASSWORD)
    finally:
        api.close()
