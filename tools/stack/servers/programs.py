"""Finding the programs of servers that come from the system, not from PyPI."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.stack.errors import StackError

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # not on an ordinary user's PATH


class MissingServerError(StackError):
    """A server is not installed; the message has the command that installs it."""


def find(program: str, package: str, *, where: str | None = None) -> Path:
    """Return the path of ``program``, in the folder ``where`` or on the PATH. Raises MissingServerError."""
    path = where or f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"
    found = shutil.which(program, path=path)
    if found is None:
        raise MissingServerError(f"{program} is not installed; run: apt-get install --no-install-recommends {package}")
    return Path(found)


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 60) -> str:
    """Run a short command and return its output. Raises StackError with the output where it fails or hangs."""
    try:
        done = subprocess.run(
            command,
            env=env,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{command[0]} did not finish within {timeout:.0f} s") from error
    if done.returncode != 0:
        raise StackError(f"{Path(command[0]).name} failed with exit code {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout
