"""The running product and an operator's commands for it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.flow.running import Running, eventually
from tools.stack.process import Process
from tools.stack.product import ROOT

TOKEN = "token-of-the-scraper-" + "x" * 20


@dataclass(frozen=True)
class Operated(Running):
    """``folder`` contains logs, beat's schedule and the relay's heartbeat; ``spans`` is the file of traces."""

    folder: Path
    spans: Path

    @property
    def heartbeat(self) -> Path:
        return self.folder / "relay.heartbeat"

    def await_beat(self) -> None:
        """Wait for the worker's first task of beat: just after the start, the doctor reports that beat never ran."""

        def seen() -> bool:
            client = self.admin.ask("GET", "/api/v1/replication").json()["client"]
            return bool(client and client["worker_seen_at"])

        eventually(seen, within=90, what="a task of beat")

    def exporters(self) -> dict[str, str]:
        """Return the URL of each exporter."""
        product = self.product
        own = {process.name: process.env["METRICS_ADDRESS"] for process in (product.relay, product.worker)}
        urls = {"Admin": product.addresses.admin_url, "Client": product.addresses.client_url}
        return {name: f"{url}/metrics" for name, url in urls.items()} | {
            name: f"http://{address}/metrics" for name, address in own.items()
        }

    def lockstep(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a ``lockstep`` command with the product's settings, some of them ``changed``."""
        return run(["lockstep", *arguments], dict(self.product.env) | changed)

    def celery(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a ``celery -A tasks`` command with the product's settings, some of them ``changed``."""
        return run(["celery", "-A", "tasks", *arguments], dict(self.product.env) | changed)


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = str(Path(env["PATH"].partition(":")[0]) / command[0])
    return subprocess.run(
        [program, *command[1:]], env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def scrape(url: str, token: str = TOKEN) -> requests.Response:
    """Scrape an exporter as Prometheus does."""
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=15)


def log_of(process: Process) -> str:
    return process.log.read_text(encoding="utf-8", errors="replace")
