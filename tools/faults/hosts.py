"""Several hosts, as network namespaces: a cable (veth) between each two that talk, which can be taken down.

    admin: Admin's web and relay      client: the Client's web, worker and beat
    rabbitmq, mariadb, secantus: one each      and this process, with a cable to each

Everything listens on its own namespace's 127.0.0.1; forwarders carry it over the cables, so that no process needs
to know. Needs root and iproute2.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count

from tools.faults.load import Load
from tools.faults.run import NotRunError, Run
from tools.faults.scene import Scene
from tools.faults.stores import AdminStore, ClientStore
from tools.faults.trial import continue_load, trial
from tools.stack.ports import HOST, free_port
from tools.stack.process import Process
from tools.stack.product import ROOT, Addresses, Product, Secrets
from tools.stack.servers import programs
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus

NAMES = ("admin", "client", "rabbitmq", "mariadb", "secantus")
HERE = "here"  # the namespace of this process
TALK = (  # caller and callee
    ("admin", "mariadb"),
    ("admin", "rabbitmq"),
    ("admin", "client"),
    ("client", "admin"),
    ("client", "rabbitmq"),
    ("client", "secantus"),
    *((HERE, name) for name in NAMES),
)


@dataclass(frozen=True)
class Cable:
    """A veth pair between two namespaces, with an address at each end."""

    name: str
    ends: tuple[str, str]
    addresses: tuple[str, str]

    def address(self, host: str) -> str:
        return self.addresses[self.ends.index(host)]

    def device(self, host: str) -> str:
        return f"{self.name}{'ab'[self.ends.index(host)]}"

    def set(self, state: str) -> None:
        """Set the cable ``up`` or ``down``."""
        for host in self.ends:
            _ip(host, "link", "set", self.device(host), state)


class Network:
    """The namespaces and their cables; ``plug`` makes them, ``unplug`` removes them."""

    def __init__(self) -> None:
        pairs = sorted({tuple(sorted(pair)) for pair in TALK})
        tag = os.getpid() % 10_000
        self.cables = {
            (a, b): Cable(f"lk{tag}n{number}", (a, b), (f"10.77.{number}.1", f"10.77.{number}.2"))
            for number, (a, b) in zip(count(1), pairs, strict=False)
        }

    def cable(self, one: str, other: str) -> Cable:
        """Return the cable between two hosts."""
        return self.cables[min(one, other), max(one, other)]

    def plug(self) -> None:
        for name in NAMES:
            programs.run(["ip", "netns", "add", _namespace(name)])
            _ip(name, "link", "set", "lo", "up")
        for cable in self.cables.values():
            a, b = cable.ends
            programs.run(["ip", "link", "add", cable.device(a), "type", "veth", "peer", "name", cable.device(b)])
            for host in cable.ends:
                if host != HERE:
                    programs.run(["ip", "link", "set", cable.device(host), "netns", _namespace(host)])
                _ip(host, "address", "add", f"{cable.address(host)}/24", "dev", cable.device(host))
            cable.set("up")

    def unplug(self) -> None:
        """Remove every namespace, and with it its cables."""
        for name in NAMES:
            programs.run(["ip", "netns", "delete", _namespace(name)])

    def forwards(self, ports: dict[str, list[int]]) -> Iterator[tuple[str, list[str]]]:
        """Yield each host with the arguments of its ``tools.faults.forward``; ``ports`` are each host's servers."""
        for host in (*NAMES, HERE):
            out = [
                f"{HOST}:{port}={self.cable(host, server).address(server)}:{port}"
                for caller, server in TALK
                if caller == host
                for port in ports[server]
            ]
            into = [
                f"{self.cable(host, caller).address(host)}:{port}={HOST}:{port}"
                for caller, server in TALK
                if server == host
                for port in ports[host]
            ]
            yield host, out + into


@dataclass(kw_only=True)
class HostsScene(Scene):
    """The product on several hosts."""

    network: Network
    seconds: float

    def part(self, load: Load, *pairs: tuple[str, str]) -> None:
        """Set the cables between ``pairs`` down for a while."""
        for pair in pairs:
            self.network.cable(*pair).set("down")
        try:
            continue_load(load, self.seconds)
        finally:
            for pair in pairs:
                self.network.cable(*pair).set("up")


def partitions(run: Run) -> None:
    """Disconnect each two hosts that communicate for a minute, and one host from all."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NotRunError("network namespaces need root and iproute2")
    parted = [[pair] for pair in TALK if HERE not in pair and pair != ("client", "admin")]
    parted.append([("admin", "rabbitmq"), ("client", "rabbitmq")])
    with _scene(run, 30 if run.quick else 60) as scene:
        for pairs in parted:
            name = "parted: " + ", ".join(f"{a} and {b}" for a, b in pairs)

            def fault(scene: HostsScene, load: Load, pairs: list[tuple[str, str]] = pairs) -> None:
                scene.part(load, *pairs)

            run.add(trial(scene, name, fault, seed=run.seed, within=180))


@contextmanager
def _scene(run: Run, seconds: float) -> Iterator[HostsScene]:
    folder = run.folder / "hosts"
    rabbitmq, mariadb = RabbitMQ(folder / "rabbitmq"), MariaDB(folder / "mariadb")
    secantus = Secantus(folder / "secantus")
    addresses = Addresses(
        mariadb.url(),
        secantus.url("hosts"),
        rabbitmq.url(),
        admin_port=free_port(),
        client_port=free_port(),
        flower_port=free_port(),
    )
    product = Product(addresses, Secrets(), folder=folder, logs=folder / "logs")
    network = Network()
    ports = {
        "admin": [addresses.admin_port],
        "client": [addresses.client_port],
        "rabbitmq": [rabbitmq.port, int(rabbitmq.env["ERL_EPMD_PORT"])],
        "mariadb": [mariadb.port],
        "secantus": [secantus.port],
    }
    _move("admin", product.admin, product.relay)
    _move("client", product.client, product.worker, product.beat)
    _move("rabbitmq", rabbitmq, rabbitmq.name_server)
    _move("mariadb", mariadb)
    _move("secantus", secantus)
    with ExitStack() as stack:
        stack.callback(network.unplug)
        network.plug()
        for host, carried in network.forwards(ports):
            forwarder = _forwarder(run, host, carried)
            stack.callback(forwarder.stop)
            forwarder.start()
            forwarder.wait_ready()
        for server in (rabbitmq, mariadb, secantus):
            stack.callback(server.stop)
            server.start()
        for server in (rabbitmq, mariadb, secantus):
            server.wait_ready()
        scene = HostsScene(
            machinery=(rabbitmq, mariadb, secantus),
            product=product,
            admin_store=AdminStore(addresses.database_url),
            client_store=stack.enter_context(closing(ClientStore(addresses.mongodb_url))),
            network=network,
            seconds=seconds,
        )
        stack.enter_context(scene.running())
        yield scene


def _forwarder(run: Run, host: str, carried: list[str]) -> Process:
    command = [sys.executable, "-m", "tools.faults.forward", *carried]
    log = run.folder / "hosts" / "logs" / f"forward-{host}.log"
    forwarder = Process(f"forwarder of {host}", command, log=log, env=os.environ, cwd=ROOT)
    forwarder.ready = lambda: forwarder.said("forwarding")
    if host != HERE:
        _move(host, forwarder)
    return forwarder


def _move(host: str, *processes: Process) -> None:
    """Let processes start in ``host``'s namespace."""
    for process in processes:
        process.command = ("nsenter", f"--net=/run/netns/{_namespace(host)}", *process.command)


def _namespace(host: str) -> str:
    return f"lockstep-{os.getpid()}-{host}"


def _ip(host: str, *arguments: str) -> None:
    inside = [] if host == HERE else ["-n", _namespace(host)]
    programs.run(["ip", *inside, *arguments])
