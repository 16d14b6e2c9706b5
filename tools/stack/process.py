"""One supervised process: its own log, its own process group, a readiness gate, and every way to end it."""

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
    """A process ended, or was not ready in time; the message holds the end of its log."""


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
        self._log_start = 0  # where in the log this start began, in bytes

    @property
    def pid(self) -> int:
        """The started process's id. Raises StackError when it was never started."""
        if self._popen is None:
            raise StackError(f"{self.name} was not started")
        return self._popen.pid

    @property
    def started(self) -> bool:
        """Whether it was started and not ended by us since."""
        return self._popen is not None and self._popen.returncode is None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._exit_code() is None

    @property
    def outcome(self) -> str:
        """How it ended, in words."""
        code = self._exit_code()
        if code is None:
            return "is running" if self._popen else "was not started"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def start(self) -> None:
        """Start it, without waiting until it is ready. Raises StackError when it runs already."""
        if self.running:
            raise StackError(f"{self.name} runs already")
        self.kill()  # what an earlier run may have left behind
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
        """Return once it is ready. Raises ProcessFailedError when it ends first, or is too late."""
        deadline = time.monotonic() + self.ready_within
        while not self.ready():
            if not self.running:
                raise ProcessFailedError(self.account(self.outcome))
            if time.monotonic() > deadline:
                raise ProcessFailedError(self.account(f"was not ready within {self.ready_within:.0f} s"))
            time.sleep(_POLL_SECONDS)

    def said(self, text: str) -> bool:
        """Return whether its log holds ``text`` since it was last started."""
        return text.encode() in self._output()

    def account(self, what: str) -> str:
        """Return a message: the process did ``what``, the end of its log, and where that is."""
        lines = self._output().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        tail = "".join(f"\n    {line}" for line in lines) or "\n    (it printed nothing)"
        return f"{self.name} {what}; its log, {self.log}, ends with:{tail}"

    def ask_to_stop(self) -> None:
        """Ask it to end in its own orderly way, without waiting for that."""
        if self.running:
            self._signal(signal.SIGTERM)
            self.resume()  # a stopped process would never see it

    def stop(self) -> None:
        """End it: orderly, and by force after ``stop_within`` seconds. Whatever it left behind ends too."""
        self.ask_to_stop()
        deadline = time.monotonic() + self.stop_within
        while self.running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and all it started at once (kill -9)."""
        if self._popen is not None and self.started:
            self._signal_group(signal.SIGKILL)
            self._popen.wait()

    def pause(self) -> None:
        """Stop it in its tracks (SIGSTOP): connections stay open, nothing answers."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
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
    """Start several at once and wait until each is ready. Raises ProcessFailedError."""
    processes = list(processes)
    for process in processes:
        process.start()
    for process in processes:
        process.wait_ready()


def stop_all(processes: Iterable[Process]) -> None:
    """End several at once; returns when the last has ended."""
    processes = list(processes)
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
