"""This host: Python, the settings, files with secrets, room on the disks."""

import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from lockstep.config_check import settings_classes, unknown_settings
from lockstep.doctor.findings import Finding, failed, ok, warning, wrong_setting
from runtime.settings import Settings, SettingsError

OLDEST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30  # bytes
LEAST_SHARE = 0.05  # of the disk
_MOUNTED = Path("/run/secrets")  # by a container's runtime: only the container's own user is there


def python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        yield ok("python", version)
    else:
        yield failed("python", f"is {version}", "Install Python 3.11 or newer, and Lockstep into it.")


def settings(names: Iterable[str], given: dict[str, Settings]) -> Iterator[Finding]:
    """Read the settings classes called ``names``; the good ones are put into ``given``."""
    classes = settings_classes()
    for name in names:
        try:
            given[name] = classes[name]()
        except SettingsError as error:
            for line in str(error).splitlines():
                cure = "Set it in the environment, in .env, or as NAME_FILE; .env.example says what each must be."
                yield wrong_setting(f"settings of {name}", line, cure)
        else:
            yield ok(f"settings of {name}", "all there")
    for unknown in unknown_settings():
        yield wrong_setting(
            "settings", f"{unknown} is no setting", "A typo? .env.example has all names. Repair or remove it."
        )


def secret_files(environment: Iterable[tuple[str, str]] | None = None) -> Iterator[Finding]:
    """Look at every ``X_FILE`` of ours and at ``.env``: nobody else may read them."""
    known = {f"{field.upper()}_FILE" for cls in settings_classes().values() for field in cls.model_fields}
    given = os.environ.items() if environment is None else environment
    files = {name: Path(value) for name, value in given if name in known and Path(value).is_file()}
    if Path(".env").is_file():
        files[".env"] = Path(".env").resolve()
    for name, path in files.items():
        if path.is_relative_to(_MOUNTED) or not _open_to_others(path):
            yield ok("secret files", f"{name}: {path} is for its owner alone")
        else:
            mode = stat.filemode(path.stat().st_mode)
            yield failed("secret files", f"{name}: other users can read {path} ({mode})", f"chmod o-rwx {path}")


def _open_to_others(path: Path) -> bool:
    """A file that others may read in a folder that they cannot enter is closed to them."""
    folders = path.resolve().parents
    return bool(path.stat().st_mode & stat.S_IROTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def disks(database_url: str | None, least_free: int = LEAST_FREE) -> Iterator[Finding]:
    """Look for room where processes on this host write: temporary files, and SQLite's database."""
    places = {"temporary files": Path(tempfile.gettempdir())}
    if database_url and (file := make_url(database_url).database) and database_url.startswith("sqlite"):
        places["the database"] = Path(file).parent
    for what, folder in places.items():
        usage = shutil.disk_usage(folder)
        free = f"{usage.free / (1 << 30):.1f} GiB free for {what} ({folder})"
        if usage.free < least_free or usage.free < LEAST_SHARE * usage.total:
            yield warning(
                "disk", f"only {free}", "Make room, or move it to a larger disk; a full one refuses every write."
            )
        else:
            yield ok("disk", free)
