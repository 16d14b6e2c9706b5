"""``/livez`` (the process answers), ``/readyz`` (what it cannot work without answers), and heartbeats for the rest."""

import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import structlog
from flask import Flask, Response, jsonify

log = structlog.get_logger(__name__)


def init_health(app: Flask, checks: dict[str, Callable[[], None]]) -> None:
    """Serve both; each check raises when its dependency does not work. Lag never fails readiness."""

    def livez() -> Response:
        return jsonify(status="ok")

    def readyz() -> tuple[Response, HTTPStatus]:
        results = {name: _outcome(name, check) for name, check in checks.items()}
        ready = all(result == "ok" for result in results.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return jsonify(status="ok" if ready else "unavailable", checks=results), status

    app.add_url_rule("/livez", view_func=livez)
    app.add_url_rule("/readyz", view_func=readyz)


def _outcome(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:
        log.warning("not ready", check=name, error=repr(error))
        return "unavailable"
    return "ok"


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
