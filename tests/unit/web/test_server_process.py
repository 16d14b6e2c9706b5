"""The server's processes under gunicorn, with the settings of both web services: stopping and replacement."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.flow.running import eventually
from tools.stack import readiness
from tools.stack.ports import HOST, free_port
from tools.stack.process import Process

ROOT = Path(__file__).parents[3]
APP = "tests.unit.web.process_app:create_app()"


class Web(Process):
    """One web service; ``get`` asks it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "gunicorn.conf.py",
            "-b",
            f"{HOST}:{self.port}",
            *options,
            APP,
        ]
        super().__init__("web", command, log=folder / "web.log", env=os.environ, cwd=ROOT)
        self.ready = lambda: readiness.answers_ok(self.port, "/pid")

    def get(self, path: str, **query: str) -> str:
        return requests.get(f"http://{HOST}:{self.port}{path}", params=query, timeout=20).text


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    process = Web(tmp_path, "--timeout", "3")
    process.start()
    try:
        process.wait_ready()
        yield process
    finally:
        process.kill()


def refuses(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except ConnectionError:
        return True
    return False


def test_sigterm_finishes_what_was_begun_and_takes_nothing_new(web: Web, tmp_path: Path) -> None:
    with socket.create_connection((HOST, web.port), timeout=20) as client:
        client.sendall(b"GET /waits?folder=%s HTTP/1.1\r\nHost: x\r\n\r\n" % str(tmp_path).encode())
        eventually((tmp_path / "begun").exists)
        web.ask_to_stop()
        eventually(lambda: refuses(web.port))
        assert web.running
        (tmp_path / "go").touch()
        received = b""
        while part := client.recv(4096):
            received += part
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"done")
    eventually(lambda: not web.running)
    assert web.outcome == "ended with exit code 0"


def test_worker_that_hangs_is_replaced(web: Web) -> None:
    hung = int(web.get("/pid"))
    os.kill(hung, signal.SIGSTOP)
    eventually(lambda: web.said(f"WORKER TIMEOUT (pid:{hung})"))
    eventually(lambda: readiness.answers_ok(web.port, "/pid"))
    assert int(web.get("/pid")) != hung


def test_worker_ends_when_gunicorn_was_killed(web: Web) -> None:
    web.get("/pid")
    os.kill(web.pid, signal.SIGKILL)
    eventually(lambda: refuses(web.port))


def test_several_workers_share_the_port(tmp_path: Path) -> None:
    web = Web(tmp_path, "--workers", "2")
    web.start()
    try:
        web.wait_ready()
        pids = set()
        eventually(lambda: pids.add(web.get("/pid")) or len(pids) == 2)
    finally:
        web.kill()


def test_tls_settings_are_refused_not_ignored(tmp_path: Path) -> None:
    web = Web(tmp_path, "--certfile", "cert.pem", "--keyfile", "key.pem")
    web.start()
    try:
        eventually(lambda: not web.running)
        assert web.outcome == "ended with exit code 1"
    finally:
        web.kill()
