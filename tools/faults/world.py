"""The whole product on one host, with a proxy on every connection that a fault may affect."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.faults import kill_at
from tools.faults.broker import Broker
from tools.faults.proxy import Proxy
from tools.faults.scene import USERS, Scene
from tools.faults.stores import AdminStore, ClientStore
from tools.stack.ports import free_port
from tools.stack.process import Process
from tools.stack.product import Addresses, Product, Secrets
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus


@dataclass(frozen=True)
class Servers:
    """The servers of the product; each may be killed, paused and restarted."""

    rabbitmq: RabbitMQ
    mariadb: MariaDB
    secantus: Secantus

    @property
    def all(self) -> tuple[Process, ...]:
        return (self.rabbitmq, self.mariadb, self.secantus)


@dataclass(frozen=True)
class Links:
    """The proxies, by the server behind each."""

    rabbitmq: Proxy
    mariadb: Proxy
    secantus: Proxy
    admin: Proxy  # as the Client's worker calls it
    client: Proxy  # as Admin's relay calls it

    @property
    def all(self) -> tuple[Proxy, ...]:
        return (self.rabbitmq, self.mariadb, self.secantus, self.admin, self.client)


@dataclass(kw_only=True)
class World(Scene):
    """A scene whose servers, connections and processes can all fail."""

    servers: Servers
    links: Links
    broker: Broker
    markers: Path
    _tries: int = 0

    def repair(self) -> None:
        """Repair everything that a trial broke: links, servers, processes."""
        for link in self.links.all:
            link.work()
        super().repair()

    @contextmanager
    def armed(
        self, process: Process, points: Sequence[str], *, whole_group: bool = False
    ) -> Iterator[Callable[[], list[str]]]:
        """Restart ``process`` with kill points; yield a function that returns the points not reached yet.

        Restarts within the block have the points too; afterwards the process is started without them.
        """
        self._tries += 1
        markers = self.markers / f"{self._tries}-{process.name}"
        markers.mkdir(parents=True)
        parsed = [kill_at.Point.parse(point) for point in points]
        plain = process.command
        process.command = tuple(kill_at.wrap(plain, parsed, markers, whole_group=whole_group))
        try:
            process.stop()
            process.start()
            yield lambda: [str(point) for point in parsed if not point.marker(markers).exists()]
        except BaseException:
            process.kill()  # the running process still has the points
            raise
        finally:
            process.command = plain


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start private servers with their data in ``folder``; end them afterwards."""
    made = Servers(RabbitMQ(folder / "rabbitmq"), MariaDB(folder / "mariadb"), Secantus(folder / "secantus"))
    with ExitStack() as stack:
        for server in made.all:
            stack.callback(server.stop)
            server.start()
        for server in made.all:
            server.wait_ready()
        yield made


@contextmanager
def world(on: Servers, folder: Path, name: str, *, users: int = USERS) -> Iterator[World]:
    """Start the product on fresh databases called ``name``; stop it afterwards."""
    database, store = on.mariadb.create_database(name), on.secantus.url(name)
    vhost = on.rabbitmq.create_vhost(name)
    with ExitStack() as stack:
        ports = free_port(), free_port()
        targets = (on.rabbitmq.port, on.mariadb.port, on.secantus.port, *ports)
        links = Links(*(stack.enter_context(Proxy(port)) for port in targets))
        addresses = Addresses(
            _through(links.mariadb, on.mariadb.port, database),
            # Otherwise the driver connects to the primary directly, without the proxy.
            f"{_through(links.secantus, on.secantus.port, store)}?directConnection=true",
            _through(links.rabbitmq, on.rabbitmq.port, vhost),
            admin_port=ports[0],
            client_port=ports[1],
            flower_port=free_port(),
        )
        changed = {
            "ADMIN_CLIENT_URL": addresses.client_url.replace(str(ports[1]), str(links.client.port)),
            "CLIENT_ADMIN_URL": addresses.admin_url.replace(str(ports[0]), str(links.admin.port)),
        }
        made = World(
            machinery=on.all,
            product=Product(addresses, Secrets(), folder=folder, logs=folder / "logs", changed=changed),
            admin_store=AdminStore(database),
            client_store=stack.enter_context(closing(ClientStore(store))),
            servers=on,
            links=links,
            broker=Broker(on.rabbitmq, name),
            markers=folder / "markers",
        )
        stack.enter_context(made.running(users))
        yield made


def _through(link: Proxy, port: int, url: str) -> str:
    return url.replace(f":{port}/", f":{link.port}/")
