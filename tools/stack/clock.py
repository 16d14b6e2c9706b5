"""Processes with a clock offset by Debian's libfaketime, to simulate hosts with different clocks."""

from pathlib import Path

from tools.stack.process import Process
from tools.stack.servers.programs import MissingServerError

_LIBRARIES = Path("/usr/lib")
_SITE = Path(__file__).with_name("shifted_clock")


def shift(process: Process, seconds: int) -> None:
    """Set the wall clock of the Python process ``process`` ``seconds`` ahead from its next start; 0 resets it.

    Its monotonic clock does not change, as on a host with a wrong clock. Raises MissingServerError.
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
