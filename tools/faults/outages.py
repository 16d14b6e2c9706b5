"""Faults of servers, connections, processes and answers.

Each function injects one fault into a running product under load; the caller repairs it.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pymysql  # type: ignore[import-untyped]  # it ships no types

from tools.faults.load import Load
from tools.faults.trial import Fault, continue_load
from tools.faults.world import World
from tools.stack.process import Process

Chosen = Callable[[World], Process]
SECONDS = 3.0  # of an outage
_TIMES = 5  # repetitions of a cut


def restarted(which: Chosen, world: World, load: Load) -> None:
    """Stop the process regularly, wait, and start it."""
    process = which(world)
    process.stop()
    continue_load(load, SECONDS / 3)
    process.start()
    process.wait_ready()


def killed(which: Chosen, world: World, load: Load) -> None:
    """kill -9 of the process with all its children."""
    process = which(world)
    process.kill()
    continue_load(load, SECONDS / 3)
    process.start()
    process.wait_ready()


def frozen(which: Chosen, world: World, load: Load, seconds: float = SECONDS) -> None:
    """SIGSTOP: the process accepts connections and does not answer."""
    which(world).pause()
    continue_load(load, seconds)


def parent_killed(world: World, load: Load) -> None:
    """kill -9 of the worker's parent alone: its children must end too."""
    worker = world.product.worker
    children = _children(worker.pid)
    os.kill(worker.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while alive := [child for child in children if Path(f"/proc/{child}").exists()]:
        if time.monotonic() > deadline:
            raise AssertionError(f"orphans of the worker still run: {alive}")
        continue_load(load, 0.1)


def child_killed(world: World, load: Load) -> None:
    """kill -9 of a worker's child, several times, at random moments."""
    for _ in range(_TIMES):
        children = _children(world.product.worker.pid)
        if children:
            os.kill(random.choice(children), signal.SIGKILL)
        continue_load(load, SECONDS / _TIMES)


def alarmed(world: World, load: Load) -> None:
    """Raise the broker's memory alarm: it accepts no messages."""
    world.broker.alarm()
    try:
        continue_load(load, SECONDS)
    finally:
        world.broker.calm()


def purged(world: World, load: Load, writes: int = 30) -> None:
    """Purge the queues while they contain changes."""
    _with_full_queues(world, load, writes)
    if not world.broker.purge():
        raise AssertionError("there was nothing to purge")


def queues_deleted(world: World, load: Load) -> None:
    """Delete the queues while they contain changes."""
    _with_full_queues(world, load, 30)
    world.broker.delete_queues()


def clock_set_back(world: World, load: Load) -> None:
    """Simulate MariaDB's clock set back by an hour: move all stored times an hour ahead, and purge the queues."""
    _with_full_queues(world, load, 30)
    an_hour = ", ".join(f"{name} = {name} + INTERVAL 1 HOUR" for name in ("due_at", "sent_at", "pending_since"))
    world.admin_store.rows(f"UPDATE replication SET {an_hour} WHERE state <> 'verified'")  # noqa: S608 - our names
    world.admin_store.rows("UPDATE lane_progress SET verified_sent_at = verified_sent_at + INTERVAL 1 HOUR")
    world.broker.purge()


def connections_killed(world: World, load: Load) -> None:
    """KILL all connections to MariaDB, repeatedly."""
    mine = "SELECT id FROM information_schema.processlist WHERE user = 'lockstep'"
    for _ in range(_TIMES):
        for (number,) in world.servers.mariadb.execute(mine):
            with suppress(pymysql.OperationalError):  # it ended before
                world.servers.mariadb.execute(f"KILL {number}")
        continue_load(load, SECONDS / _TIMES)


def link_cut(name: str, world: World, load: Load) -> None:
    """Cut all connections, repeatedly."""
    for _ in range(_TIMES):
        getattr(world.links, name).cut()
        continue_load(load, SECONDS / _TIMES)


def link_cut_mid_answer(name: str, world: World, load: Load) -> None:
    """Cut connections in the middle of an answer; at the broker, of a publisher confirm."""
    chance = random.Random(load.seed)
    for _ in range(_TIMES):
        getattr(world.links, name).cut_after(chance.randrange(1, 400))
        continue_load(load, SECONDS / _TIMES)


def link_stalled(name: str, world: World, load: Load, seconds: float = SECONDS) -> None:
    """Stall all connections without closing them."""
    getattr(world.links, name).stall()
    continue_load(load, seconds)


def link_slow(name: str, world: World, load: Load, seconds: float = SECONDS) -> None:
    """Add 50 ms in each direction."""
    getattr(world.links, name).delay(0.05)
    continue_load(load, seconds)


def answers(name: str, reply: bytes, world: World, load: Load, seconds: float = SECONDS) -> None:
    """Answer every call of the other service with ``reply``."""
    getattr(world.links, name).answer(reply)
    continue_load(load, seconds)


def twice(world: World, load: Load, seconds: float = SECONDS) -> None:
    """Run two relays, workers and beats at once, then only the second of each."""
    product = world.product
    second = (product.new_relay("relay-2"), product.new_worker("worker-2"), product.new_beat("beat-2"))
    try:
        for process in second:
            process.start()
        for process in second:
            process.wait_ready()
        continue_load(load, seconds)
        for process in (product.relay, product.worker, product.beat):
            process.kill()
        continue_load(load, seconds)
    finally:
        for process in second:
            process.kill()


def _with_full_queues(world: World, load: Load, writes: int) -> None:
    world.product.worker.pause()
    load.wait_for(writes)
    continue_load(load, 1)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _http(status: str, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def _rabbitmq(world: World) -> Process:
    return world.servers.rabbitmq


def _mariadb(world: World) -> Process:
    return world.servers.mariadb


def _secantus(world: World) -> Process:
    return world.servers.secantus


def _of_product(name: str) -> Chosen:
    return lambda world: getattr(world.product, name)


WRONG_ANSWERS = {
    "401": _http("401 Unauthorized"),
    "404": _http("404 Not Found"),
    "413": _http("413 Content Too Large"),
    "429": _http("429 Too Many Requests", b"{}", "Retry-After: 2"),
    "500": _http("500 Internal Server Error"),
    "garbage": _http("200 OK", b"\x00\xff{not json"),
    "nonsense": _http("200 OK", b'{"outcomes": 7, "states": {}}'),
    "no HTTP": b"\x16\x03\x01\x00",
}

FAULTS: dict[str, Fault] = {
    "RabbitMQ restarted": partial(restarted, _rabbitmq),
    "RabbitMQ kill -9": partial(killed, _rabbitmq),
    "RabbitMQ SIGSTOP": partial(frozen, _rabbitmq),
    "RabbitMQ memory alarm": alarmed,
    "queues purged": purged,
    "queues deleted": queues_deleted,
    "RabbitMQ connections cut": partial(link_cut, "rabbitmq"),
    "RabbitMQ cut mid-confirm": partial(link_cut_mid_answer, "rabbitmq"),
    "RabbitMQ stalled": partial(link_stalled, "rabbitmq"),
    "RabbitMQ slow": partial(link_slow, "rabbitmq"),
    "MariaDB restarted": partial(restarted, _mariadb),
    "MariaDB kill -9": partial(killed, _mariadb),
    "MariaDB SIGSTOP": partial(frozen, _mariadb),
    "MariaDB connections KILLed": connections_killed,
    "MariaDB's clock set back": clock_set_back,
    "MariaDB connections cut": partial(link_cut, "mariadb"),
    "MariaDB cut mid-answer": partial(link_cut_mid_answer, "mariadb"),
    "MariaDB slow": partial(link_slow, "mariadb"),
    "MongoDB-wire server restarted": partial(restarted, _secantus),
    "MongoDB-wire server kill -9": partial(killed, _secantus),
    "MongoDB-wire server SIGSTOP": partial(frozen, _secantus),
    "MongoDB-wire server connections cut": partial(link_cut, "secantus"),
    "MongoDB-wire server cut mid-answer": partial(link_cut_mid_answer, "secantus"),
    "MongoDB-wire server slow": partial(link_slow, "secantus"),
    "worker parent kill -9": parent_killed,
    "worker child kill -9": child_killed,
    "worker kill -9, all of it": partial(killed, _of_product("worker")),
    "worker SIGSTOP": partial(frozen, _of_product("worker")),
    "relay kill -9": partial(killed, _of_product("relay")),
    "relay SIGSTOP": partial(frozen, _of_product("relay")),
    "beat kill -9": partial(killed, _of_product("beat")),
    "Admin kill -9": partial(killed, _of_product("admin")),
    "Admin restarted": partial(restarted, _of_product("admin")),
    "Client kill -9": partial(killed, _of_product("client")),
    "Client restarted": partial(restarted, _of_product("client")),
    "two relays, workers and beats": twice,
    "Admin never answers": partial(link_stalled, "admin", seconds=12),
    "Client never answers": partial(link_stalled, "client", seconds=17),
    "Admin's answers cut": partial(link_cut_mid_answer, "admin"),
    "Client's answers cut": partial(link_cut_mid_answer, "client"),
    **{f"Admin answers {name}": partial(answers, "admin", reply) for name, reply in WRONG_ANSWERS.items()},
    **{f"Client answers {name}": partial(answers, "client", reply) for name, reply in WRONG_ANSWERS.items()},
}
