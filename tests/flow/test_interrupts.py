"""Ctrl-C during long work: exit code 130, a line that says how to go on, and going on does it.

Real processes, interrupted once they are known to be in the middle: at rows that they wrote, or at a Client that
took their question and does not answer.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.flow.running import eventually
from tests.flow.stores import KEYS, NOWHERE, SECRET, sqlite_url
from tools.stack import commands
from tools.stack.ports import HOST
from tools.stack.product import ROOT

LOCKSTEP = Path(sys.executable).with_name("lockstep")
ROWS = 3_000


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """A Client that takes questions and never answers, as a frozen one; nobody else's are in its queue."""
    with socket.create_server((HOST, 0)) as server:
        server.settimeout(60)
        yield server


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of Admin's commands, on an empty database, with no Client."""
    found = dict(os.environ) | {
        "ADMIN_DATABASE_URL": sqlite_url(tmp_path_factory.mktemp("interrupts")),
        "ADMIN_SECRET_KEY": SECRET.get_secret_value(),
        "ADMIN_CLIENT_URL": NOWHERE,
        "SERVICE_KEYS": KEYS.get_secret_value(),
        "PATH": f"{LOCKSTEP.parent}:{os.environ['PATH']}",
    }
    commands.run_all([(["migrate", "admin"], "")], found)
    return found


def interrupted(env: dict[str, str], *arguments: str, when: Callable[[subprocess.Popen[str]], object]) -> str:
    """Run a command, press Ctrl-C once ``when`` has returned, and return the last that the command says."""
    with subprocess.Popen(
        [str(LOCKSTEP), *arguments], env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            when(process)
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, ""), said
    assert "Traceback" not in said
    return said.splitlines()[-1]


def test_import_resumes_and_resync_finishes_without_its_command(env: dict[str, str], tmp_path: Path) -> None:
    file, database = tmp_path / "mugs.csv", Path(env["ADMIN_DATABASE_URL"].removeprefix("sqlite:///"))
    rows = "".join(f"M-{number},Mug,2.50,EUR,Kitchen\n" for number in range(ROWS))
    file.write_text("sku,title,price,currency,category\n" + rows, encoding="utf-8")

    said = interrupted(env, "import", str(file), when=lambda _process: _until_rows_are_taken(database))
    assert said == "interrupted: imported rows stay; run the same command again to resume"
    taken = _one(database, "SELECT count(*) FROM products")
    assert 0 < taken < ROWS
    assert taken == _one(database, "SELECT rows_done FROM import_progress")
    done = subprocess.run(
        [str(LOCKSTEP), "import", str(file), "--json"], env=env, cwd=ROOT, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["created"] == ROWS - taken
    assert _one(database, "SELECT count(*) FROM product_changes") == ROWS

    said = interrupted(env, "sync", "resync", "--all", when=lambda process: _until_said(process, "products marked"))
    assert said.startswith("interrupted: the relays continue; 'lockstep sync status --watch'")


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["sync", "diff"], "run the command again"),
        (["sync", "diff", "--repair"], "run the command again; completed repairs are kept"),
    ],
)
def test_comparison_and_repair_say_how_to_go_on(
    env: dict[str, str], client: socket.socket, command: list[str], advice: str
) -> None:
    asking = env | {"ADMIN_CLIENT_URL": f"http://{HOST}:{client.getsockname()[1]}"}
    with ExitStack() as stack:  # the question is neither answered nor refused

        def asked(process: subprocess.Popen[str]) -> None:
            assert stack.enter_context(client.accept()[0]).recv(1)
            _until_it_waits(process)

        assert interrupted(asking, *command, when=asked) == f"interrupted: {advice}"


def _until_rows_are_taken(database: Path) -> None:
    eventually(lambda: _one(database, "SELECT count(*) FROM products") > 0)


def _until_said(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr
    assert any(words in line for line in process.stderr)


def _until_it_waits(process: subprocess.Popen[str]) -> None:
    """Python does not see a signal that comes between its last look and the system call it then waits in."""
    stat = Path(f"/proc/{process.pid}/stat")
    eventually(lambda: stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "S")


def _one(database: Path, query: str) -> int:
    """Read beside the command, which is not held up by it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
