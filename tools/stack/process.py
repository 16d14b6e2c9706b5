"""A supervised process with a log and a process group of its own, a readiness check, and ways to stop it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tools.stack import die_with_parent
from tools.stack.errors import StackError

_POLL_SECONDS = 0.05
_TAIL_LINES = 8


class ProcessFailedError(StackError):
    """A process ended, or was not ready in time; the message has the end of its log."""


class Process:
    """A command that runs beside us.

    ``log`` collects what it prints; ``ready`` says whether it does its work yet; ``ready_within`` and
    ``stop_within`` are seconds. Only the process group that was started here is ever signalled.

    Start it from a thread that lives as long as the process should: on Linux its end ends the process.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        ready: Callable[[], bool] | None = None,
        ready_within: float = 60,
        stop_within: float = 20,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.env = dict(env)
        self.cwd = cwd
        self.ready_within = ready_within
        self.stop_within = stop_within
        self.ready = ready or (lambda: self.running)
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0  # the position in the log of the latest start, in bytes

    @property
    def pid(self) -> int:
        """The process id. Raises StackError where it was never started."""
        if self._popen is None:
            raise StackError(f"{self.name} was not started")
        return self._popen.pid

    @property
    def started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._popen is not None and self._popen.returncode is None

    @property
    def running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._popen is not None and self._exit_code() is None

    @property
    def outcome(self) -> str:
        """How it ended, for messages."""
        code = self._exit_code()
        if code is None:
            return "is running" if self._popen else "was not started"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def start(self) -> None:
        """Start it without waiting until it is ready. Raises StackError where it is already running."""
        if self.running:
            raise StackError(f"{self.name} is already running")
        self.kill()  # remains of an earlier run
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(
                die_with_parent.wrap(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Wait until it is ready. Raises ProcessFailedError where it ends first, or is not ready in time."""
        deadline = time.monotonic() + self.ready_within
        while not self.ready():
            if not self.running:
                raise ProcessFailedError(self.account(self.outcome))
            if time.monotonic() > deadline:
                raise ProcessFailedError(self.account(f"was not ready within {self.ready_within:.0f} s"))
            time.sleep(_POLL_SECONDS)

    def said(self, text: str) -> bool:
        """Return whether its log has ``text`` since the latest start."""
        return text.encode() in self._output()

    def account(self, what: str) -> str:
        """Return a message: the process did ``what``, with the end and the path of its log."""
        lines = self._output().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        tail = "".join(f"\n    {line}" for line in lines) or "\n    (it printed nothing)"
        return f"{self.name} {what}; its log, {self.log}, ends with:{tail}"

    def ask_to_stop(self) -> None:
        """Ask it to stop, without waiting."""
        if self.running:
            self._signal(signal.SIGTERM)
            self.resume()  # a paused process would not receive the signal

    def stop(self) -> None:
        """Stop it regularly, by force after ``stop_within`` seconds, with all its child processes."""
        self.ask_to_stop()
        deadline = time.monotonic() + self.stop_within
        while self.running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill it and all its child processes (kill -9)."""
        if self._popen is not None and self.started:
            self._signal_group(signal.SIGKILL)
            self._popen.wait()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, and nothing answers."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after ``pause``."""
        self._signal_group(signal.SIGCONT)

    def restart(self) -> None:
        """Stop it if it runs, start it again and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready()

    def _exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs.

        Looks without reaping: until ``kill`` reaps it, its group's number cannot become another process's.
        """
        if self._popen is None or self._popen.returncode is not None:
            return self._popen.returncode if self._popen else None
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._popen.poll()
        ended = os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None and self.started:
            os.kill(self._popen.pid, number)

    def _signal_group(self, number: signal.Signals) -> None:
        if self._popen is not None and self.started:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
                os.killpg(self._popen.pid, number)

    def _output(self) -> bytes:
        if not self.log.exists():
            return b""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read()


def start_all(processes: Iterable[Process]) -> None:
    """Start several processes at once, and wait until each is ready. Raises ProcessFailedError."""
    processes = list(processes)
    for process in processes:
        process.start()
    for process in processes:
        process.wait_ready()


def stop_all(processes: Iterable[Process]) -> None:
    """Stop several processes at once, and wait until the last has ended."""
    processes = list(processes)
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
