"""A RabbitMQ cluster of three nodes on this machine, whose queues' leader is killed under load."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from contract import names
from tools.faults.load import Load
from tools.faults.run import Run
from tools.faults.scene import Scene
from tools.faults.stores import AdminStore, ClientStore
from tools.faults.trial import continue_load, trial
from tools.stack.errors import StackError
from tools.stack.ports import free_port
from tools.stack.product import Addresses, Product, Secrets
from tools.stack.servers.rabbitmq import RabbitMQ

NODES = 3
_NAME = "cluster"
_SECONDS, _TIMEOUT = 8.0, 60.0  # of a node's outage; for the others to continue


@dataclass(kw_only=True)
class ClusterScene(Scene):
    """The product with the cluster ``nodes`` as broker."""

    nodes: list[RabbitMQ]

    def leader(self) -> RabbitMQ:
        """Return the leader node of the interactive lane's queue. Raises StackError where it has none."""
        for node in (node for node in self.nodes if node.running):
            listed = node.ctl("list_queues", "--no-table-headers", "-p", _NAME, "name", "leader", "members")
            for line in listed.splitlines():
                queue, leader, *members = line.split("\t")
                if queue == names.QUEUE_PRODUCTS and leader:
                    return self._named(leader, members)
        raise StackError(f"{names.QUEUE_PRODUCTS} has no leader")

    def _named(self, leader: str, members: list[str]) -> RabbitMQ:
        count = "".join(members).count("@")
        if count != NODES:
            raise StackError(f"{names.QUEUE_PRODUCTS} has {count} members: {members}")
        return next(node for node in self.nodes if node.node == leader)


def leader_killed(scene: ClusterScene, load: Load) -> None:
    """kill -9 of the leader; the others continue, then it returns."""
    leader = scene.leader()
    leader.kill()
    began, held = time.monotonic(), len(scene.client_store.products())
    while len(scene.client_store.products()) <= held:
        if time.monotonic() - began > _TIMEOUT:
            raise AssertionError("nothing arrived while the queues' leader was down")
        continue_load(load, 0.2)
    print(f"  without the leader, the next product arrived after {time.monotonic() - began:.1f} s", flush=True)
    continue_load(load, _SECONDS)


def majority_killed(scene: ClusterScene, load: Load) -> None:
    """kill -9 of two of three: the queues are unavailable until one returns, and writes continue."""
    for node in scene.nodes[:2]:
        node.kill()
    load.wait_for(20)
    continue_load(load, _SECONDS)


def one_after_the_other_restarted(scene: ClusterScene, load: Load) -> None:
    """A rolling restart, as for an upgrade."""
    for node in scene.nodes:
        node.kill() if node is scene.nodes[0] else node.stop()
        continue_load(load, 2)
        node.start()
        node.wait_ready()
        continue_load(load, 2)


FAULTS = {
    "cluster: leader kill -9": leader_killed,
    "cluster: two of three kill -9": majority_killed,
    "cluster: rolling restart": one_after_the_other_restarted,
}


def cluster_of_three(run: Run) -> None:
    """Kill one node, then two, then restart all in turn, under load."""
    with _scene(run) as scene:
        for name, fault in FAULTS.items():
            for number in range(run.trials):
                run.add(trial(scene, name, fault, seed=run.seed + number, within=120))


@contextmanager
def _scene(run: Run) -> Iterator[ClusterScene]:
    servers, folder = run.servers, run.folder / _NAME
    with ExitStack() as stack:
        nodes = stack.enter_context(_nodes(run))
        database, store = servers.mariadb.create_database(_NAME), servers.secantus.url(_NAME)
        nodes[0].create_vhost(_NAME)
        addresses = Addresses(
            database,
            store,
            ";".join(node.url(_NAME) for node in nodes),
            admin_port=free_port(),
            client_port=free_port(),
            flower_port=free_port(),
        )
        scene = ClusterScene(
            machinery=tuple(nodes),
            product=Product(addresses, Secrets(), folder=folder, logs=folder / "logs"),
            admin_store=AdminStore(database),
            client_store=stack.enter_context(closing(ClientStore(store))),
            nodes=nodes,
        )
        stack.enter_context(scene.running())
        yield scene


@contextmanager
def _nodes(run: Run) -> Iterator[list[RabbitMQ]]:
    folder = run.folder / "rabbitmq-cluster"
    first = RabbitMQ(folder / "0")
    nodes = [first, *(RabbitMQ(folder / str(number), beside=first) for number in range(1, NODES))]
    with ExitStack() as stack:
        for node in nodes:  # the first is stopped last, as it has the name server
            stack.callback(node.stop)
            node.start()
            node.wait_ready()
        for node in nodes[1:]:
            node.join(first)
        yield nodes
