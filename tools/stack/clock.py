"""A process whose clock is wrong, by Debian's libfaketime: what hosts are whose clocks differ, on one host."""

from pathlib import Path

from tools.stack.process import Process
from tools.stack.servers.programs import MissingServerError

_LIBRARIES = Path("/usr/lib")
_SITE = Path(__file__).with_name("shifted_clock")


def shift(process: Process, seconds: int) -> None:
    """Let ``process``, of Python, see a wall clock that is ``seconds`` ahead, from its next start on; 0: the right one.

    What it measures durations with stays as it is, as on a host whose clock is wrong. Raises MissingServerError.
    """
    shifted = {"FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(_SITE)}
    for name in ("LD_PRELOAD", *shifted):
        process.env.pop(name, None)
    if seconds:
        process.env |= {"LD_PRELOAD": str(_library()), **shifted}


def _library() -> Path:
    found = next(_LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"), None)
    if found is None:
        raise MissingServerError("libfaketime is not installed; run: apt-get install --no-install-recommends faketime")
    return found
