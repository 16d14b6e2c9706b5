"""CPU time and memory of processes with all their children, from /proc (Linux)."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def children() -> Mapping[int, list[int]]:
    """Return the children of every living process, by its id."""
    found = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            found[int(stat[1])].append(int(entry.name))
    return found


def family(root: int) -> list[int]:
    """Return ``root`` and all its living descendants."""
    below = children()
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += below[pid]
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU time, in seconds, that a process, its children and those that ended have used."""
    stats = [stat for pid in family(root) if (stat := _stat(pid))]
    return sum(int(ticks) for stat in stats for ticks in stat[11:15]) / _TICKS


def pss_mb(root: int) -> float:
    """Return the memory, in MB, of a process and its children, with shared pages counted once (PSS)."""
    return sum(own_pss_mb(pid) for pid in family(root))


def own_pss_mb(pid: int) -> float:
    """Return the memory, in MB, of one process, with its share of the pages that it shares (PSS)."""
    return _kb(pid, "smaps_rollup", "Pss:") / 1024


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
