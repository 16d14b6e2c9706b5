"""Heartbeats of processes without a port: a file whose age says whether the process still works."""

import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Heartbeat:
    """A file that a process without a port touches while it works; its age tells whether it still does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def beat(self) -> None:
        """Touch the file; a disk that is full or gone is logged and does not stop the work."""
        try:
            # Never through a link that somebody else put in a shared folder.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644))
            os.utime(self._path)
        except OSError as error:
            log.warning("no heartbeat", path=str(self._path), error=str(error))

    def age(self) -> float | None:
        """Return the seconds since the last beat, None when there was none."""
        try:
            return max(time.time() - self._path.stat().st_mtime, 0.0)
        except FileNotFoundError:
            return None
