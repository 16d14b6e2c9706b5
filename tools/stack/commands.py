"""Run the short commands that set up Lockstep, as an operator would."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.stack import die_with_parent
from tools.stack.errors import StackError
from tools.stack.product import ROOT

_TIMEOUT = 600  # seconds


class CommandFailedError(StackError):
    """A command failed; the message has its output."""


class Command:
    """A running ``lockstep`` command; several may run at once."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], *, typed: str = "") -> None:
        self._name = f"lockstep {' '.join(arguments)}"
        self._typed = typed
        self._popen = subprocess.Popen(
            die_with_parent.wrap([_program(env), *arguments]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=ROOT,
            text=True,
        )

    def finish(self) -> str:
        """Wait for the command and return its output. Raises CommandFailedError."""
        try:
            output, _ = self._popen.communicate(self._typed, timeout=_TIMEOUT)
        except BaseException:
            self.cancel()
            raise
        if self._popen.returncode != 0:
            last = "\n    ".join(output.strip().splitlines()[-8:])
            raise CommandFailedError(f"'{self._name}' failed:\n    {last}")
        return output

    def cancel(self) -> None:
        """Kill the command if it still runs."""
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.communicate()


def run_all(commands: Sequence[tuple[Sequence[str], str]], env: Mapping[str, str]) -> None:
    """Run (arguments, standard input) commands side by side. Raises CommandFailedError for the first failure."""
    running: list[Command] = []
    try:
        for arguments, typed in commands:
            running.append(Command(arguments, env, typed=typed))
        for command in running:
            command.finish()
    finally:
        for command in running:
            command.cancel()


def migrate(env: Mapping[str, str]) -> None:
    """Migrate both databases. Raises CommandFailedError."""
    run_all([(["migrate", "admin"], ""), (["migrate", "client"], "")], env)


def _program(env: Mapping[str, str]) -> str:
    """Return the path of the command by the PATH in ``env``: Popen would use the PATH of this process."""
    return str(Path(env["PATH"].partition(":")[0]) / "lockstep")
