"""Checks of this host: Python, files with secrets, free disk space."""

import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from lockstep.doctor.findings import Finding, failed, ok, warning
from lockstep.doctor.settings import settings_classes

OLDEST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30  # bytes
LEAST_SHARE = 0.05  # of the disk
_MOUNTED = Path("/run/secrets")  # by the container runtime: the container has no other users


def python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        yield ok("python", version)
    else:
        yield failed("python", f"is {version}", "Install Python 3.11 or newer, and Lockstep into it.")


def secret_files(environment: Iterable[tuple[str, str]] | None = None) -> Iterator[Finding]:
    """Check that only their owner can read ``.env`` and the files that ``X_FILE`` settings name."""
    known = {f"{field.upper()}_FILE" for cls in settings_classes().values() for field in cls.model_fields}
    given = os.environ.items() if environment is None else environment
    files = {name: Path(value) for name, value in given if name in known and Path(value).is_file()}
    if Path(".env").is_file():
        files[".env"] = Path(".env").resolve()
    for name, path in files.items():
        if path.is_relative_to(_MOUNTED) or not _open_to_others(path):
            yield ok("secret files", f"{name}: {path} is readable by its owner alone")
        else:
            mode = stat.filemode(path.stat().st_mode)
            yield failed("secret files", f"{name}: other users can read {path} ({mode})", f"chmod o-rwx {path}")


def _open_to_others(path: Path) -> bool:
    """Return whether other users can read the file and enter every folder above it."""
    folders = path.resolve().parents
    return bool(path.stat().st_mode & stat.S_IROTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def disks(database_url: str | None, least_free: int = LEAST_FREE) -> Iterator[Finding]:
    """Check the free space where processes on this host write: temporary files, and SQLite's database."""
    places = {"temporary files": Path(tempfile.gettempdir())}
    if database_url and (file := make_url(database_url).database) and database_url.startswith("sqlite"):
        places["the database"] = Path(file).parent
    for what, folder in places.items():
        usage = shutil.disk_usage(folder)
        free = f"{usage.free / (1 << 30):.1f} GiB free for {what} ({folder})"
        if usage.free < least_free or usage.free < LEAST_SHARE * usage.total:
            yield warning(
                "disk", f"only {free}", "Free some space or use a larger disk. Every write fails once it is full."
            )
        else:
            yield ok("disk", free)
