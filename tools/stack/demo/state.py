"""The demo's folder: a lock, secrets, databases, logs. It remains between runs; ``clear`` empties it."""

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
    """The files in ``folder`` that remain between two runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.logs = folder / "logs"
        self.env_file = folder / "env"
        self._secrets = folder / "secrets.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this demo. Raises StackError where another demo uses it, or it has other files."""
        self._require_ours()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a+") as lock:
            if not try_lock(lock):
                lock.seek(0)
                raise StackError(
                    f"another demo is already running in {self.folder}, as process {lock.read().strip() or 'unknown'}: "
                    "stop it with Ctrl-C, or use another folder and other ports (--state DIR, see --help)"
                )
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield
            lock.truncate(0)

    def _require_ours(self) -> None:
        """Refuse a folder with other files, which ``clear`` would delete."""
        names = {entry.name for entry in self.folder.iterdir()} if self.folder.exists() else set()
        if self.folder != HOME and names - {"lock"} and self._secrets.name not in names:
            raise StackError(f"{self.folder} has files that are not the demo's: give --state an empty folder")

    def clear(self) -> None:
        """Delete everything except the installation."""
        for folder in (self.data, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self._secrets, self.env_file):
            file.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Create the folders. Raises StackError where the disk is nearly full."""
        require_space(self.folder, _SPACE)
        for folder in (self.data, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def secrets(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return a random secret for each name, stored for later runs. Raises StackError."""
        try:
            stored = json.loads(self._secrets.read_text())
        except FileNotFoundError:
            stored = {}
        except ValueError as error:
            raise StackError(f"{self._secrets} is damaged: start with --fresh") from error
        found = {name: str(stored.get(name) or secrets.token_urlsafe(32)) for name in names}
        if found != stored:
            _write_private(self._secrets, json.dumps(found, indent=1))
        return found

    def is_done(self, what: str) -> bool:
        """Return whether ``mark_done(what)`` was called in an earlier run."""
        return (self.data / f"{what}.done").exists()

    def mark_done(self, what: str) -> None:
        """Record that ``what`` is done, for later runs."""
        (self.data / f"{what}.done").touch()

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Write the environment for a shell that uses the running processes, readable by its owner alone."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        _write_private(self.env_file, "".join(lines))


def try_lock(file: TextIO) -> bool:
    """Try to lock an open file against other processes; return whether it is locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def require_space(folder: Path, megabytes: int) -> None:
    """Check that the disk of ``folder`` has enough space. Raises StackError."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise StackError(
            f"the disk of {folder} has {free} MB of free space, and {megabytes} MB are needed: free some space"
        )


def is_full(folder: Path) -> bool:
    """Return whether the disk of ``folder`` is almost full."""
    return folder.exists() and shutil.disk_usage(folder).free < 5_000_000


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, completely or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
