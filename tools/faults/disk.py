"""A full disk: MariaDB's data on a small file system of its own. Needs root for the mount."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.faults.load import Load
from tools.faults.run import NotRunError, Run
from tools.faults.trial import Result, continue_load, trial
from tools.faults.world import Servers, World, world
from tools.stack.servers import programs
from tools.stack.servers.mariadb import MariaDB

_SIZE_MB = 320
_LEFT_KB = 512  # free space for writes before the disk is full
_DESCRIPTION = "x" * 10_000


def full(run: Run) -> None:
    """Fill the disk under load: writes are refused, none is partial, and all work again once there is space."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise NotRunError("a file system of its own for MariaDB needs root")
    statuses: set[int] = set()
    with _world(run) as (scene, small):

        def fault(scene: World, load: Load) -> None:
            filler = _fill(small)
            try:
                statuses.update(_until_refused(scene))
                continue_load(load, 3)
            finally:
                filler.unlink()

        result = trial(scene, "disk full under MariaDB", fault, seed=run.seed, within=120)
        _judge(result, statuses)
        run.add(result)


def _judge(result: Result, statuses: set[int]) -> None:
    result.figures["answers of the full disk"] = sorted(statuses)
    if statuses - {201, 503} or 503 not in statuses:
        result.verdict.lost.append(f"a full disk was answered {sorted(statuses)}, not 503")


def _until_refused(scene: World) -> set[int]:
    """Create large products until some are refused; return the HTTP statuses."""
    seen: list[int] = []
    user = scene.sign_in()
    while seen.count(201) < 2_000 and sum(status != 201 for status in seen) < 20:
        content = {
            "sku": f"large-{len(seen)}",
            "title": "Large",
            "description": _DESCRIPTION,
            "price": "1.00",
            "currency": "EUR",
            "category": "Large",
            "image_url": "",
        }
        seen.append(user.admin.request("POST", "/api/v1/products", json=content).status_code)
    return set(seen)


def _fill(folder: Path) -> Path:
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free - _LEFT_KB * 1024
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free, 1))
    return filler


@contextmanager
def _world(run: Run) -> Iterator[tuple[World, Path]]:
    small = run.folder / "small"
    small.mkdir()
    with ExitStack() as stack:
        programs.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "lockstep-faults", str(small)])
        stack.callback(programs.run, ["umount", str(small)])
        mariadb = MariaDB(small / "mariadb")
        stack.callback(mariadb.stop)
        mariadb.start()
        mariadb.wait_ready()
        servers = Servers(run.servers.rabbitmq, mariadb, run.servers.secantus)
        scene = stack.enter_context(world(servers, run.folder / "full", "full", users=3))
        yield scene, small
