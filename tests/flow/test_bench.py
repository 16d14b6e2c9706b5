"""The benchmark at toy size, on the tests' servers: every row is there and finite. Nothing is said about speed."""

import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.flow.stores import unique_name
from tools.bench.report import BEGIN, END
from tools.bench.rows import ROWS
from tools.stack.product import ROOT
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.secantus import Secantus

# What the goals speak of: a figure with a goal in each of these rows, as many as there are goals.
GOALS = {
    "idle": 1,
    "accept": 2,
    "visible": 2,
    "likes_accepted": 1,
    "likes_forwarded": 2,
    "import_file": 1,
    "during_import": 2,
    "catch_up": 2,
    "change_cost": 2,
    "pages": 9,
    "reconcile": 2,
}


@pytest.mark.timeout(900)  # eleven rows, each with processes of its own
def test_every_row_is_measured_and_finite(
    rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path: Path
) -> None:
    table = _bench(rabbitmq, mariadb, secantus, tmp_path)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["size"] == "toy"
    assert set(written["rows"]) == set(ROWS) == set(GOALS)
    for name, row in written["rows"].items():
        assert row["title"] in table
        assert sum(figure["met"] is not None for figure in row["figures"]) >= GOALS[name], name
        for figure in row["figures"]:
            assert math.isfinite(figure["value"]), (name, figure)
            assert figure["value"] >= 0, (name, figure)
    _check_chart(tmp_path / "chart.svg", set(written["curves"]))
    _check_document(tmp_path / "figures.md", written["rows"])


def _bench(rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, folder: Path) -> str:
    database = mariadb.url("").replace(f"lockstep:{mariadb.password}", f"root:{mariadb.root_password}")
    urls = ["--database-url", database, "--mongodb-url", secantus.url("none")]
    urls += ["--broker-url", rabbitmq.create_vhost(unique_name())]
    document = folder / "figures.md"
    document.write_text(f"# Before\n{BEGIN}\nold\n{END}\nafter\n")
    files = ["--json", str(folder / "bench.json"), "--chart", str(folder / "chart.svg"), "--markdown", str(document)]
    command = [str(ROOT / "scripts" / "bench"), "--toy", *urls, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=840, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def _check_document(file: Path, rows: dict[str, Any]) -> None:
    before, _, rest = file.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    assert (before, after) == ("# Before\n", "\nafter\n")
    assert "old" not in table
    for row in rows.values():
        for figure in row["figures"]:
            assert f"\n| {figure['what']} | " in table


def _check_chart(file: Path, curves: set[str]) -> None:
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.parse(file).getroot()  # noqa: S314 - our own file
    names = {(text.text or "").lstrip("━┄ ") for text in root.iter(f"{svg}text")}
    assert curves
    assert curves <= names
    assert len(list(root.iter(f"{svg}polyline"))) == len(curves)
