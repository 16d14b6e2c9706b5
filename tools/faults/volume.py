"""Rows of the matrix that need volume: many restarts, many changes, many measurements."""

import json
import math
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from tools.faults import messages, outages
from tools.faults.load import Load
from tools.faults.observer import Observer
from tools.faults.run import Run
from tools.faults.scene import Scene
from tools.faults.stores import compare
from tools.faults.trial import Result, continue_load, p99, trial
from tools.faults.world import World

CREATES = 10_001
RESTARTS_UNDER_LOAD = 10
RESTARTS = 50
_LAG_GOAL, _LAG_BACK_WITHIN, _LAG_TIMEOUT = 2.0, 30.0, 180.0  # seconds
_LATENCY_GOAL, _MEMORY_GOAL = 1.5, 1.2  # times the usual value
_CREATE = {"create": 1}
_PACE = 0.1  # seconds between a user's creates: the broker, which starts in 5 to 20 seconds, is then up half the time


def creates_while_the_broker_restarts(run: Run) -> None:
    """10,001 creates while RabbitMQ is stopped and killed ten times: none lost, none applied twice."""
    creates, restarts = (2_001, 3) if run.quick else (CREATES, RESTARTS_UNDER_LOAD)
    name = f"{creates:,} creates, RabbitMQ restarted repeatedly"
    with run.fresh_world("volume") as world:
        result = Result(name, run.seed)
        load = Load(world.users, run.seed, _CREATE, pace=_PACE, at_most=creates)
        with Observer(world.client_store) as observer:
            with load:
                since = _restart_while_busy(world, load, creates, restarts)
            back = _lag_is_back(world, since)
            result.figures = {"restarts": restarts, "lag under 2 s after": f"{back:.1f} s"}
            result.expect(back <= _LAG_BACK_WITHIN, f"a lag under {_LAG_GOAL} s within {_LAG_BACK_WITHIN:.0f} s")
            result.settled = world.settle(120)
        _judge(result, world, load, observer)
        applied, delivered = applications(world.product.worker.log)
        result.figures |= {"states applied": applied, "states delivered": delivered}
        result.figures["at the Client"] = len(world.client_store.products())
        result.verdict.duplicated += ["more states applied than accepted"] if applied > load.ledger.accepted else []
        run.add(result)


def worker_memory_after_restarts(run: Run) -> None:
    """The memory of the worker's parent after 50 broker restarts, compared with before."""
    restarts = 8 if run.quick else RESTARTS
    with run.fresh_world("memory", users=2) as world:
        before: list[int] = []

        def fault(world: World, load: Load) -> None:
            continue_load(load, 5)
            before.append(resident(world.product.worker.pid))
            for number in range(restarts):
                end = world.servers.rabbitmq.kill if number % 2 else world.servers.rabbitmq.stop
                end()
                world.servers.rabbitmq.start()
                world.repair()
                continue_load(load, 0.5)

        result = trial(world, f"{restarts} broker restarts, worker's memory", fault, seed=run.seed, within=120)
        after = resident(world.product.worker.pid)
        ratio = round(after / before[0], 3)
        result.figures |= {"RSS before, kB": before[0], "RSS after, kB": after, "ratio": ratio}
        result.expect(ratio <= _MEMORY_GOAL, f"at most {_MEMORY_GOAL} times the memory of before")
        run.add(result)


def latency_while_the_broker_is_frozen(run: Run) -> None:
    """POST p99 while RabbitMQ is frozen by SIGSTOP or in a memory alarm, compared with normal times of the same run."""
    seconds = 8 if run.quick else 20
    with run.fresh_world("latency", users=2) as world:
        for number, name in enumerate(("RabbitMQ SIGSTOP", "RabbitMQ memory alarm")):
            times: dict[str, list[float]] = {}

            def fault(world: World, load: Load, name: str = name, times: dict[str, list[float]] = times) -> None:
                continue_load(load, 2)
                _collect(load, times, "healthy", lambda: continue_load(load, seconds))
                _silence(world, name)
                continue_load(load, 1)
                _collect(load, times, "silent", lambda: continue_load(load, seconds))
                if name == "RabbitMQ memory alarm":
                    world.broker.calm()

            result = trial(world, f"POST latency, {name}", fault, seed=run.seed + number, mix=_CREATE, within=180)
            healthy, silent = p99(times["healthy"]), p99(times["silent"])
            result.expect(silent <= _LATENCY_GOAL * healthy, f"a p99 of at most {_LATENCY_GOAL} times the healthy one")
            result.figures |= {
                "POSTs": f"{len(times['healthy'])} healthy, {len(times['silent'])} silent",
                "p99, ms": f"{healthy * 1000:.1f} healthy, {silent * 1000:.1f} silent",
                "ratio": round(silent / healthy, 2),
                "slowest while silent, ms": round(max(times["silent"]) * 1000),
            }
            run.add(result)


def purge_with_a_thousand_changes(run: Run) -> None:
    """Purge the queue with 1,000 changes in it."""
    waiting = 200 if run.quick else 1_000
    with run.fresh_world("purge") as world:
        name = f"queue purged with {waiting:,} changes in it"

        def fault(world: World, load: Load) -> None:
            outages.purged(world, load, waiting)

        run.add(trial(world, name, fault, seed=run.seed, mix=_CREATE, within=180))


def old_message_after_a_thousand_deletes(run: Run) -> None:
    """Publish a message again a thousand deletes after its product was deleted, also from the dead letters."""
    deletes = 100 if run.quick else 1_000
    with run.fresh_world("old", users=1) as world:
        result = Result(f"old message after {deletes:,} other deletes", run.seed, accepted=2 * deletes + 2)
        alive = messages.old_message_after_deletes(world, deletes)
        result.settled = 0.0
        result.verdict.resurrected += [f"product {product_id} came back" for product_id in alive]
        result.verdict += compare(world.admin_store, world.client_store)
        run.add(result)


def applications(log: Path) -> tuple[int, int]:
    """Return (applied, delivered): the states that the worker applied, and all that it received.

    More applied states than accepted writes mean that one was applied twice.
    """
    applied = delivered = 0
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"event": "applied"' in line:
            entry = json.loads(line)
            applied, delivered = applied + entry["newer"], delivered + len(entry["items"])
    return applied, delivered


def resident(pid: int) -> int:
    """Return a process's resident memory in kB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _restart_while_busy(world: World, load: Load, creates: int, times: int) -> float:
    """Stop or kill the broker repeatedly, evenly over ``creates``; return when it last was ready.

    The backlog is processed in between, so that each restart meets messages at every stage.
    """
    rabbitmq, since = world.servers.rabbitmq, time.monotonic()
    for count, end in zip(range(1, times + 1), cycle((rabbitmq.stop, rabbitmq.kill)), strict=False):
        load.wait_for(creates * count // (times + 1) - load.ledger.accepted, within=300)
        if not load.busy:
            raise AssertionError(f"the load ended before restart {count}")
        end()
        continue_load(load, 1)
        rabbitmq.start()
        rabbitmq.wait_ready()
        since = time.monotonic()
        print(f"  restart {count}: {load.ledger.accepted:,} accepted, lag {world.admin_store.lag():.1f} s", flush=True)
    load.wait_for(creates, within=300)
    return since


def _lag_is_back(world: Scene, since: float) -> float:
    """Return the seconds from ``since`` until the lag was short again; infinity where it never was."""
    while world.admin_store.lag() > _LAG_GOAL:
        if time.monotonic() - since > _LAG_TIMEOUT:
            return math.inf
        time.sleep(0.1)
    return time.monotonic() - since


def _judge(result: Result, world: Scene, load: Load, observer: Observer) -> None:
    result.accepted, result.unanswered = load.ledger.accepted, load.ledger.unanswered
    result.verdict += observer.verdict
    result.verdict += compare(world.admin_store, world.client_store)
    result.verdict += load.ledger.check(world.admin_store, world.client_store)


def _collect(load: Load, times: dict[str, list[float]], phase: str, wait: Callable[[], None]) -> None:
    before = len(load.took)
    wait()
    times[phase] = [seconds for _kind, seconds in load.took[before:]]


def _silence(world: World, name: str) -> None:
    if name == "RabbitMQ SIGSTOP":
        world.servers.rabbitmq.pause()
    else:
        world.broker.alarm()
