"""CPU time and memory of processes with all their children, from /proc (Linux)."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """Return ``root`` and all its living descendants."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children[int(stat[1])].append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children[pid]
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return the CPU time, in seconds, that these processes, their children and those that ended have used."""
    stats = [stat for root in roots for pid in family(root) if (stat := _stat(pid))]
    return sum(int(ticks) for stat in stats for ticks in stat[11:15]) / _TICKS


def rss_mb(root: int) -> float:
    """Return the memory, in MB, of a process and its children, with shared pages counted once (PSS)."""
    return sum(_kb(pid, "smaps_rollup", "Pss:") for pid in family(root)) / 1024


def peak_mb(pid: int) -> float:
    """Return the peak memory, in MB, of one process."""
    return _kb(pid, "status", "VmHWM:") / 1024


def _stat(pid: int) -> list[str] | None:
    """Return the fields after the command's name: state, parent, …; None for a process that ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _kb(pid: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(name))
