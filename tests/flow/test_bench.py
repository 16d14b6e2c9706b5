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

# How many figures with a goal each row has.
GOALS = {
    "start": 6,
    "idle": 1,
    "creates": 5,
    "singles": 4,
    "likes": 2,
    "backlog": 1,
    "shop": 3,
    "import_file": 2,
    "during_import": 2,
    "batches": 2,
}


@pytest.mark.timeout(600)  # it starts every process, the demo, and six web services
def test_every_row_is_measured_and_finite(
    rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, tmp_path: Path
) -> None:
    _bench(rabbitmq, mariadb, secantus, tmp_path)
    written, document = json.loads((tmp_path / "bench.json").read_text()), (tmp_path / "figures.md").read_text()
    assert written["size"] == "toy"
    assert set(written["rows"]) == set(ROWS) == set(GOALS)
    for name, row in written["rows"].items():
        assert f"\n| **{row['title']}** | {row['figures'][0]['what']} | " in document
        assert sum(figure["met"] is not None for figure in row["figures"]) == GOALS[name], name
        for figure in row["figures"]:
            assert math.isfinite(figure["value"]), (name, figure)
            assert figure["value"] >= 0, (name, figure)
    _check_parts(written["rows"])
    _check_chart(tmp_path / "chart.svg", written["rows"])


def _bench(rabbitmq: RabbitMQ, mariadb: MariaDB, secantus: Secantus, folder: Path) -> None:
    database = mariadb.url("").replace(f"lockstep:{mariadb.password}", f"root:{mariadb.root_password}")
    urls = ["--database-url", database, "--mongodb-url", secantus.url("none")]
    urls += ["--broker-url", rabbitmq.create_vhost(unique_name())]
    document = folder / "figures.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    files = ["--json", str(folder / "bench.json"), "--chart", str(folder / "chart.svg"), "--markdown", str(document)]
    command = [str(ROOT / "scripts" / "bench"), "--toy", *urls, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Lockstep compared with bare Flask views" in done.stdout


def _check_parts(rows: dict[str, Any]) -> None:
    """Check that every process is found: one that is missing would make the sum look better."""
    processes = {"Admin", "Client", "relay", "worker", "beat", "Flower"}
    sums = [figure for row in rows.values() for figure in row["figures"] if "everything" in figure["what"]]
    assert len(sums) == 4
    assert all(set(figure["parts"]) == processes for figure in sums)  # the servers are not the benchmark's own here
    memory = rows["start"]["figures"][-1]["parts"]
    assert set(memory) == processes | {"SecantusDB", "Valkey", "scripts/demo"}
    assert all(megabytes > 1 for megabytes in memory.values()), memory


def _check_chart(file: Path, rows: dict[str, Any]) -> None:
    svg = "{http://www.w3.org/2000/svg}"
    texts = {text.text for text in ElementTree.parse(file).getroot().iter(f"{svg}text")}  # noqa: S314 - our own file
    bars = {figure["bar"] for row in rows.values() for figure in row["figures"] if figure["bar"]}
    assert len(bars) == 4
    assert bars <= texts
