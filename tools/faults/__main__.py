"""Inject every fault and kill point under load; print a matrix and write a JSON report."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tools.faults import clocks, cluster, disk, hosts, kill_points, matrix, messages, outages, services, stops, volume
from tools.faults.run import Run
from tools.faults.scene import NotSettledError
from tools.faults.tours import tour
from tools.faults.trial import Fault, trial
from tools.faults.world import World, servers

_TRIALS, _TRIALS_QUICK = 2, 1
_TRIAL_TIMEOUT = 120  # seconds for a trial to settle


def under_load() -> dict[str, Fault]:
    """Return the rows that share one running product: faults, messages and kill points."""
    rows = dict(outages.FAULTS)
    rows |= {"Client web SIGSTOP": services.client_frozen, "Admin web SIGSTOP": services.admin_frozen}
    rows |= {"malformed copies": services.malformed_copies}
    rows |= {"messages duplicated, reordered, late, broken": messages.garbled, "malformed messages": messages.malformed}
    for process, points, worker_paused in (
        ("admin", kill_points.ADMIN, False),
        ("relay", kill_points.RELAY_SENDS, True),
        ("relay", kill_points.RELAY_VERIFIES, False),
        ("worker", kill_points.WORKER, False),
        ("client", kill_points.CLIENT, False),
    ):
        for point in points:
            rows[f"{process} killed {_short(point)}"] = tour(process, [point], worker_paused=worker_paused)
    written = "after:client.replica.apply:write"
    rows[f"worker and its parent killed {_short(written)}"] = tour("worker", [written], whole_group=True)
    return rows


APART: dict[str, Callable[[Run], None]] = {
    "creates while RabbitMQ restarts": volume.creates_while_the_broker_restarts,
    "worker's memory after restarts": volume.worker_memory_after_restarts,
    "latency while RabbitMQ is frozen": volume.latency_while_the_broker_is_frozen,
    "purge with many changes": volume.purge_with_a_thousand_changes,
    "old message after many deletes": volume.old_message_after_a_thousand_deletes,
    "RabbitMQ cluster": cluster.cluster_of_three,
    "hosts disconnected": hosts.partitions,
    "disk full": disk.full,
    "SIGTERM to each during an import": stops.stopped_during_an_import,
    "clocks 45 s apart": clocks.apart,
}


def main() -> int:
    """Run the chosen rows. Return 1 where anything was lost, applied twice or resurrected."""
    options = _options()
    chosen = {name: fault for name, fault in under_load().items() if _wanted(name, options.only)}
    apart = {name: row for name, row in APART.items() if _wanted(name, options.only)}
    if options.list:
        print("\n".join([*chosen, *apart]))
        return 0
    if not chosen and not apart:
        sys.exit(f"no row has a name with {options.only!r}; --list shows all names")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lockstep-faults-") as folder, servers(Path(folder)) as started:
        run = Run(Path(folder), started, options.seed, options.trials, options.quick)
        print(f"seed {run.seed}, {run.trials} trials each, {len(chosen) + len(apart)} rows", flush=True)
        if chosen:
            with run.fresh_world("shared", users=3) as shared:
                for name, fault in chosen.items():
                    run.row(name, partial(_tried, run, shared, name, fault))
        for name, row in apart.items():
            run.row(name, partial(row, run))
        run.save(options.report)
    print(matrix.table(run))
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; report: {options.report}")
    return 0 if run.fine else 1


def _tried(run: Run, world: World, name: str, fault: Fault) -> None:
    for number in range(run.trials):
        with suppress(NotSettledError):  # a failed trial before may not have settled
            world.settle(_TRIAL_TIMEOUT)
        run.add(trial(world, name, fault, seed=run.seed + number, writes=20, within=_TRIAL_TIMEOUT))


def _wanted(name: str, only: list[str]) -> bool:
    return not only or any(part in name for part in only)


def _short(point: str) -> str:
    when, _module, function = point.split(":")
    return f"{when} {function.partition('#')[0]}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller volumes, shorter outages, one trial each")
    which = "only rows whose name contains NAME; may be given several times"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=which)
    parser.add_argument("--list", action="store_true", help="print the names of the rows and exit")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="seed of all random choices")
    parser.add_argument("--trials", type=int, help=f"trials of each row (default {_TRIALS}, quick {_TRIALS_QUICK})")
    parser.add_argument("--report", type=Path, default=Path("faults-report.json"), help="file for the JSON report")
    options = parser.parse_args()
    options.trials = options.trials or (_TRIALS_QUICK if options.quick else _TRIALS)
    return options


if __name__ == "__main__":
    sys.exit(main())
