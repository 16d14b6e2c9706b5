"""What it costs to start: commands, web services, and the demo with its memory."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.bench.errors import BenchError
from tools.bench.figures import Figure, of_rounds, total
from tools.bench.run import Run
from tools.bench.usage import children, cpu_seconds, own_pss_mb, pss_mb
from tools.stack.ports import free_port
from tools.stack.process import Process
from tools.stack.product import ROOT

TITLE = "Start, and memory"
_REST = 3.0  # seconds for the work after a start
_NAMES = {
    "admin:create_app": "Admin",
    "client:create_app": "Client",
    "lockstep relay": "relay",
    "tasks worker": "worker",
    "tasks beat": "beat",
    "tasks flower": "Flower",
    "secantus": "SecantusDB",
    "valkey-server": "Valkey",
}


def measure(run: Run) -> list[Figure]:
    """Measure the demo first, alone."""
    seconds, memory = _demo(run)
    times = range(run.sizes.starts)
    return [
        of_rounds("lockstep --help, CPU", [_command(run, ["--help"]) for _ in times], "s", at_most=0.3),
        of_rounds("lockstep sync status, CPU", [_command(run, ["sync", "status"]) for _ in times], "s", at_most=0.6),
        of_rounds("Admin, start to ready, CPU", [_service(run, "admin") for _ in times], "s", at_most=1.5),
        of_rounds("Client, start to ready, CPU", [_service(run, "client") for _ in times], "s", at_most=1.5),
        Figure("scripts/demo, start with data", seconds, "s", at_most=8.0),
        total("memory of the demo, stores included (PSS)", [memory], "MB", at_most=550.0),
    ]


def _command(run: Run, arguments: Sequence[str]) -> float:
    """Return the CPU seconds of a command."""
    command, env = ["lockstep", *arguments], dict(run.system.product.env)
    before = _ended()
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return _ended() - before


def _ended() -> float:
    """Return the CPU seconds of all ended processes that were started here."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _service(run: Run, package: str) -> float:
    with run.system.service(f"{package}:create_app()") as service:
        return cpu_seconds(service.pid)


def _demo(run: Run) -> tuple[float, dict[str, float]]:
    """Return the seconds of the demo's last start, and the memory (MB) of each of its processes."""
    ports = [f"--{name}-port={free_port()}" for name in ("admin", "client", "flower")]
    command = [sys.executable, "scripts/demo", "--no-install", "--state", str(run.folder / "demo"), *ports]
    demo = Process("the demo", command, log=run.folder / "demo.log", env=os.environ, cwd=ROOT, stop_within=60)
    demo.ready = lambda: demo.said("Lockstep is up")
    try:
        for _ in range(run.sizes.demo_starts):
            demo.stop()
            began = time.monotonic()
            demo.start()
            demo.wait_ready()
            seconds = time.monotonic() - began
        time.sleep(min(_REST, run.sizes.idle_seconds))
        return seconds, _memory(demo.pid)
    finally:
        demo.stop()


def _memory(demo: int) -> dict[str, float]:
    """Return the memory (MB) of the demo's own process and of each process that it started."""
    found = {"scripts/demo": own_pss_mb(demo)}
    for pid in children()[demo]:
        name = _name(pid)
        found[name] = found.get(name, 0.0) + pss_mb(pid)
    return found


def _name(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return next((name for part, name in _NAMES.items() if part in command), "other")
