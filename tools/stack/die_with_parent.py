"""Run a command that gets SIGTERM when its parent ends, even by kill -9.

Run as a file, ``python die_with_parent.py PARENT_PID COMMAND [ARGUMENT]…``, it becomes the command. A process of
its own rather than a hook between fork and exec, which may deadlock where the parent has threads.
Linux only; elsewhere the command just runs.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # prctl(2)


def wrap(command: Sequence[str]) -> list[str]:
    """Return ``command`` wrapped, so that it ends with the thread that starts it."""
    return [sys.executable, "-IS", __file__, str(os.getpid()), *command]


def main() -> None:
    """Tie this process to its parent, then run the command in it. Exits with 127 where there is no such command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent ended before the call above
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell, that is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
