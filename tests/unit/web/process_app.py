"""A small application for tests of gunicorn's worker processes."""

import os
import time
from pathlib import Path

from flask import Flask, request

from web.http.api import MAX_BODY_BYTES


def create_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.add_url_rule("/pid", "pid", lambda: str(os.getpid()))
    app.add_url_rule("/waits", "waits", _wait)
    return app


def _wait() -> str:
    """Answer once the requested file exists."""
    here = Path(request.args["folder"])
    (here / "begun").touch()
    while not (here / "go").exists():
        time.sleep(0.02)
    return "done"
