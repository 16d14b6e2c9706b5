"""The demo's folder: a lock, secrets, databases, logs. It survives a restart; ``clear`` empties it."""

import fcntl
import json
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tools.stack.demo.options import HOME
from tools.stack.errors import StackError

_SPACE = 300  # MB, for databases and logs


class State:
    """What is kept in ``folder`` between two runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.logs = folder / "logs"
        self.env_file = folder / "env"
        self._secrets = folder / "secrets.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make this the only demo in the folder. Raises StackError when another runs there, or it is not a demo's."""
        self._require_ours()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a+") as lock:
            if not try_lock(lock):
                lock.seek(0)
                raise StackError(
                    f"a demo runs in {self.folder} already, as process {lock.read().strip() or 'unknown'}: "
                    "end that one with Ctrl-C, or give this one another folder and ports (--state DIR, see --help)"
                )
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
            lock.truncate(0)

    def _require_ours(self) -> None:
        """Never mix with, and with ``clear`` never delete, files of somebody else's."""
        names = {entry.name for entry in self.folder.iterdir()} if self.folder.exists() else set()
        if self.folder != HOME and names - {"lock"} and self._secrets.name not in names:
            raise StackError(f"{self.folder} holds files that are not the demo's: give --state an empty folder")

    def clear(self) -> None:
        """Forget everything but what is installed."""
        for folder in (self.data, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self._secrets, self.env_file):
            file.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the folders. Raises StackError when the disk is nearly full."""
        require_space(self.folder, _SPACE)
        for folder in (self.data, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def secrets(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return a random secret for each name, the same one every time. Raises StackError."""
        try:
            kept = json.loads(self._secrets.read_text())
        except FileNotFoundError:
            kept = {}
        except ValueError as error:
            raise StackError(f"{self._secrets} cannot be read: begin anew with --fresh") from error
        found = {name: str(kept.get(name) or secrets.token_urlsafe(32)) for name in names}
        if found != kept:
            _write_private(self._secrets, json.dumps(found, indent=1))
        return found

    def is_done(self, what: str) -> bool:
        """Return whether ``mark_done(what)`` was called in an earlier run."""
        return (self.data / f"{what}.done").exists()

    def mark_done(self, what: str) -> None:
        """Remember that ``what`` need not be done again."""
        (self.data / f"{what}.done").touch()

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Write what a shell needs to talk to the running processes, for its owner alone."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        _write_private(self.env_file, "".join(lines))


def try_lock(file: TextIO) -> bool:
    """Lock an open file against other processes, without waiting; return whether that worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def require_space(folder: Path, megabytes: int) -> None:
    """Make sure that the disk of ``folder`` has room. Raises StackError."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise StackError(f"the disk of {folder} has {free} MB left and {megabytes} MB are needed: free some space")


def is_full(folder: Path) -> bool:
    """Return whether the disk of ``folder`` has practically no room left."""
    return folder.exists() and shutil.disk_usage(folder).free < 5_000_000


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
