"""The command ``scripts/demo``: options, checks, installation, and errors in one line."""

import errno
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tools.stack.demo import install
from tools.stack.demo.options import Options, parse
from tools.stack.demo.screen import Screen
from tools.stack.demo.state import State, is_full
from tools.stack.errors import StackError

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "demo"
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return the exit code: 0 done, 1 failed, 130 interrupted before it was up."""
    options = parse(arguments)
    screen = Screen()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if not options.install:
            return _run(options, screen)
        _install(options, screen)
        os.execv(install.PYTHON, [str(install.PYTHON), str(SCRIPT), *arguments, "--no-install"])  # noqa: S606
    except KeyboardInterrupt:
        screen.line("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again at exit
    except StackError as error:
        screen.error(f"{_disk_full(options)} ({error})" if is_full(options.state) else str(error))
    except OSError as error:
        screen.error(_explain(error, options))
    return EXIT_FAILED


def _install(options: Options, screen: Screen) -> None:
    """Check the folder and the ports first, as installing takes minutes; then install."""
    with State(options.state).locked():
        options.check_ports()
    install.install(screen)


def _run(options: Options, screen: Screen) -> int:
    try:
        from tools.stack.demo.run import run
    except ModuleNotFoundError as error:
        raise StackError(f"{sys.executable} has no package {error.name}: run without --no-install") from error
    return run(options, State(options.state), screen)


def _explain(error: OSError, options: Options) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _disk_full(options)
    return f"{error.filename or options.state}: {error.strerror or error}"


def _disk_full(options: Options) -> str:
    return f"the disk is full: free some space for {options.state}, then run this again"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Handle SIGTERM, and SIGHUP from a closed terminal, as Ctrl-C."""
    raise KeyboardInterrupt
