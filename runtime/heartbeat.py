"""Heartbeats of processes without a port: a file whose age shows whether the process still works."""

import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class Heartbeat:
    """A file that a process without a port touches while it works."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def beat(self) -> None:
        """Touch the file. A failure of the disk is logged and does not stop the work."""
        try:
            # Without following a link that another user put in a shared folder.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644))
            os.utime(self._path)
        except OSError as error:
            log.warning("heartbeat not written", path=str(self._path), error=str(error))

    def age(self) -> float | None:
        """Return the seconds since the last heartbeat, None before the first."""
        try:
            return max(time.time() - self._path.stat().st_mtime, 0.0)
        except FileNotFoundError:
            return None
