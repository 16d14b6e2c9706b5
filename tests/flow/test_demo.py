"""``scripts/demo`` as people run it, but with this environment's packages instead of installing them."""

import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.flow.running import eventually
from tools.stack.ports import free_port
from tools.stack.product import ROOT

PATIENCE = 120  # seconds
UP = "Lockstep is up"
STEPS = ("created on Admin, visible at the Client", "changed on Admin", "counted on Admin", "deleted at the Client")


class Demo:
    """A folder for demos; whatever they start is recognised by a mark in its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output.txt"
        self.ports = [free_port() for _ in range(3)]
        self.mark = f"LOCKSTEP_TEST_MARK={uuid.uuid4().hex}"

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        ports = zip(("--admin-port", "--client-port", "--flower-port"), self.ports, strict=True)
        command = [
            sys.executable,
            str(ROOT / "scripts" / "demo"),
            "--no-install",
            "--state",
            str(self.folder / "state"),
        ]
        command += [word for option, port in ports for word in (option, str(port))]
        name, _, value = self.mark.partition("=")
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {name: value, "PYTHONUTF8": "1"},
            )

    def run(self, *options: str) -> tuple[int, str]:
        """Return the exit code of a demo that ends by itself, and what it printed."""
        with self.start(*options) as demo:
            try:
                code = demo.wait(PATIENCE)
            finally:
                demo.kill()
        return code, self.output.read_text()

    def up(self) -> subprocess.Popen[bytes]:
        """Start a demo and return once it is up."""
        demo = self.start()
        eventually(lambda: UP in self.output.read_text() or demo.poll() is not None, within=PATIENCE, what=UP)
        assert demo.poll() is None, self.output.read_text()
        return demo

    def left_behind(self) -> list[str]:
        """Return the command lines of all living processes that bear the mark."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it ended meanwhile
                continue
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    # A moment, because what the demo could not end itself sees it die and ends.
    eventually(lambda: not demo.left_behind(), within=15, what="the end of every process")


def test_demo_prints_its_urls_restarts_processes_and_keeps_its_state(demo: Demo) -> None:
    running = demo.up()
    first = demo.output.read_text()
    second = Demo(demo.folder)
    second.output = demo.folder / "second.txt"
    code, refusal = second.run()
    assert code == 1
    assert f"process {running.pid}" in refusal
    assert requests.get(f"http://127.0.0.1:{demo.ports[1]}/api/v1/products", timeout=10).json()["items"]
    inspect = f". {demo.folder}/state/env && cd {ROOT} && celery -A tasks inspect active"
    answer = subprocess.run(["sh", "-c", inspect], capture_output=True, text=True, timeout=60, check=True)  # noqa: S607
    assert "1 node online" in answer.stdout
    os.kill(next(int(p.name) for p in Path("/proc").glob("[0-9]*") if is_worker(p, demo.mark)), signal.SIGKILL)
    eventually(lambda: "worker started again" in demo.output.read_text(), within=60, what="a new worker")
    assert "worker was ended by SIGKILL" in demo.output.read_text()
    running.send_signal(signal.SIGINT)
    assert running.wait(PATIENCE) == 0
    assert demo.left_behind() == []
    code, again = demo.run("--once")
    assert code == 0, again
    assert "sample catalogue" in first
    assert "sample catalogue" not in again
    assert "product 50 created" in again
    shows_the_main_job(again)
    assert demo.left_behind() == []
    keeps_no_password(demo, first)


def shows_the_main_job(output: str) -> None:
    for step in STEPS:
        assert re.search(rf"{step}.* \d+ ms", output), output


def keeps_no_password(demo: Demo, shown: str) -> None:
    passwords = re.findall(r"(?:owner|shopper)@example\.com +(\S{16})", shown)
    kept = b"".join(file.read_bytes() for file in demo.folder.glob("state/*") if file.is_file())
    assert len(passwords) == 2
    assert not any(password.encode() in kept for password in passwords)


def is_worker(process: Path, mark: str) -> bool:
    """Return whether this is the worker's parent process: its children have a shell-less parent with the same words."""
    try:
        if mark.encode() not in (process / "environ").read_bytes():
            return False
        parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"worker" in words and b"worker" not in Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def test_taken_port_is_named_with_the_option_to_choose_another(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", demo.ports[1])):
        code, output = demo.run("--once")
    assert code == 1
    assert f"port {demo.ports[1]}, for the Client, is in use" in output
    assert "--client-port" in output


def test_interrupt_while_starting_stops_everything(demo: Demo) -> None:
    running = demo.start()
    eventually(lambda: "SecantusDB" in demo.output.read_text(), within=PATIENCE)
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE) == 130  # and the fixture looks for what is left


def test_demo_that_is_killed_leaves_nothing_behind(demo: Demo) -> None:
    running = demo.start()
    eventually(lambda: "SecantusDB" in demo.output.read_text(), within=PATIENCE)
    running.kill()  # what it started ends by itself: the fixture looks
    running.wait()
