"""``/livez``: the process answers. ``/readyz``: the dependencies that it needs answer."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from flask import Flask, Response, jsonify

log = structlog.get_logger(__name__)


def init_health(app: Flask, checks: dict[str, Callable[[], None]]) -> None:
    """Serve ``/livez`` and ``/readyz``. Each check raises where its dependency is down; none checks lag."""

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
