"""The whole product over the production servers, with a proxy on every connection that may be tried."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql  # type: ignore[import-untyped]  # it ships no types
from pymongo.errors import PyMongoError

from faults import kill_at
from faults.broker import Broker
from faults.load import User
from faults.proxy import Proxy
from faults.stores import AdminStore, ClientStore
from stack import commands
from stack.api import AdminApi, ClientApi
from stack.ports import free_port
from stack.process import Process, start_all
from stack.product import Addresses, Product, Secrets
from stack.servers.mariadb import MariaDB
from stack.servers.rabbitmq import RabbitMQ
from stack.servers.secantus import Secantus

STAFF, PASSWORD = "staff@example.com", "a password of some length"
USERS = 3
_POLL = 0.1  # seconds


class NotSettledError(AssertionError):
    """Something is still under way after a time in which everything should have arrived."""


@dataclass(frozen=True)
class Servers:
    """What the product runs on; each may be killed, paused and restarted."""

    rabbitmq: RabbitMQ
    mariadb: MariaDB
    secantus: Secantus

    @property
    def all(self) -> tuple[Process, ...]:
        return (self.rabbitmq, self.mariadb, self.secantus)


@dataclass(frozen=True)
class Links:
    """The proxies, named by what is behind them."""

    rabbitmq: Proxy
    mariadb: Proxy
    secantus: Proxy
    admin: Proxy  # as the Client's worker calls it
    client: Proxy  # as Admin's relay calls it

    @property
    def all(self) -> tuple[Proxy, ...]:
        return (self.rabbitmq, self.mariadb, self.secantus, self.admin, self.client)


@dataclass
class World:
    """Everything, running. ``users`` are signed in; the stores are read past the product and the proxies."""

    servers: Servers
    links: Links
    product: Product
    broker: Broker
    admin_store: AdminStore
    client_store: ClientStore
    markers: Path
    users: list[User] = field(default_factory=list)
    _tries: int = 0

    @property
    def processes(self) -> tuple[Process, ...]:
        """The product's, but for Flower, which delivery does not need."""
        product = self.product
        return (product.admin, product.client, product.beat, product.relay, product.worker)

    def settle(self, within: float) -> float:
        """Wait until nothing is under way; return the seconds it took. Raises NotSettledError."""
        began = time.monotonic()
        while left := self._under_way():
            if time.monotonic() - began > within:
                raise NotSettledError(f"after {within:.0f} s: {left}")
            time.sleep(_POLL)
        return time.monotonic() - began

    def _under_way(self) -> str:
        try:
            unproven, likes = self.admin_store.unproven(), self.client_store.unsettled_likes()
        except (pymysql.MySQLError, PyMongoError) as error:
            return f"a store does not answer: {error!r}"
        return f"{unproven} products are not proven, {likes} likes not settled" if unproven or likes else ""

    def mend(self) -> None:
        """Bring everything back that a trial broke: links, servers, processes. A kill point is not put back."""
        for link in self.links.all:
            link.work()
        for process in (*self.servers.all, *self.processes):
            process.resume()
            if not process.running:
                process.start()
        for process in (*self.servers.all, *self.processes):
            process.wait_ready()

    def arm(self, process: Process, points: Sequence[str], *, whole_group: bool = False) -> Path:
        """Restart ``process`` with kill points in it; return the folder where each leaves a marker."""
        self._tries += 1
        markers = self.markers / f"{self._tries}-{process.name}"
        markers.mkdir(parents=True)
        process.stop()
        plain = process.command
        parsed = [kill_at.Point.parse(point) for point in points]
        process.command = tuple(kill_at.wrap(plain, parsed, markers, whole_group=whole_group))
        process.start()
        process.wait_ready()
        process.command = plain  # for the next start
        return markers


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start private servers with their data in ``folder``; end them afterwards."""
    started = Servers(RabbitMQ(folder / "rabbitmq"), MariaDB(folder / "mariadb"), Secantus(folder / "secantus"))
    with ExitStack() as stack:
        for server in started.all:
            stack.callback(server.stop)
            server.start()
        for server in started.all:
            server.wait_ready()
        yield started


@contextmanager
def world(on: Servers, folder: Path, name: str, *, users: int = USERS) -> Iterator[World]:
    """Start the product on fresh databases called ``name``; stop it afterwards."""
    database, store = on.mariadb.create_database(name), on.secantus.url(name)
    vhost = on.rabbitmq.create_vhost(name)
    ports = free_port(), free_port()
    with ExitStack() as stack:
        targets = (on.rabbitmq.port, on.mariadb.port, on.secantus.port, *ports)
        links = Links(*(stack.enter_context(Proxy(port)) for port in targets))
        addresses = Addresses(
            _through(links.mariadb, on.mariadb.port, database),
            _through(links.secantus, on.secantus.port, store),
            _through(links.rabbitmq, on.rabbitmq.port, vhost),
            admin_port=ports[0],
            client_port=ports[1],
            flower_port=free_port(),
        )
        changed = {
            "ADMIN_CLIENT_URL": _through(links.client, ports[1], addresses.client_url + "/").rstrip("/"),
            "CLIENT_ADMIN_URL": _through(links.admin, ports[0], addresses.admin_url + "/").rstrip("/"),
        }
        product = Product(addresses, Secrets(), folder=folder, logs=folder / "logs", changed=changed)
        commands.migrate(product.env)
        commands.run_all([(["staff", "add", STAFF, "--password-stdin"], f"{PASSWORD}\n")], product.env)
        made = World(
            on,
            links,
            product,
            Broker(on.rabbitmq, name),
            AdminStore(database),
            stack.enter_context(closing(ClientStore(store))),
            folder / "markers",
        )
        stack.callback(product.stop)
        start_all(made.processes)
        made.users = [stack.enter_context(_user(made)) for _ in range(users)]
        yield made


@contextmanager
def _user(of: World) -> Iterator[User]:
    """Sign a person in to both services, as staff and as a new shopper."""
    addresses = of.product.addresses
    admin, client = AdminApi(addresses.admin_url), ClientApi(addresses.client_url)
    with closing(admin), closing(client):
        admin.sign_in(STAFF, PASSWORD)
        email = f"{uuid.uuid4().hex}@example.com"
        client.ask("POST", "/api/v1/shoppers", json={"email": email, "password": PASSWORD})
        client.sign_in(email, PASSWORD)
        shopper = of.client_store.database["shoppers"].find_one({"email": email})
        yield User(admin, client, str(shopper["_id"]) if shopper else "")


def _through(link: Proxy, port: int, url: str) -> str:
    return url.replace(f":{port}/", f":{link.port}/")
