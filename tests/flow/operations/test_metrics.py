"""Scrapes of every exporter under load contain every metric that alerts and dashboard use."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.flow.operations.operated import Operated, scrape
from tests.flow.running import eventually
from tools.stack.product import ROOT
from tools.stack.readiness import answers_ok

ALERTS = ROOT / "ops" / "alerts.yml"
DASHBOARD = ROOT / "ops" / "dashboard.json"
OF_PROMETHEUS = {"up"}
_FUNCTIONS_AND_WORDS = {"and", "or", "unless", "by", "on", "without", "ignoring", "bool", "offset", "group_left"}


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression reads."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|without|ignoring)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w|\s*\()", bare)
    return set(names) - _FUNCTIONS_AND_WORDS - OF_PROMETHEUS


def expressions(alerts: Any, dashboard: Any) -> Iterator[str]:
    yield from (rule["expr"] for group in alerts["groups"] for rule in group["rules"])
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", []))


def named() -> set[str]:
    alerts, dashboard = yaml.safe_load(ALERTS.read_text()), json.loads(DASHBOARD.read_text())
    return {metric for expression in expressions(alerts, dashboard) for metric in metrics_of(expression)}


def samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return every sample's value by name and label values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.values()))] = sample.value
    return found


@pytest.fixture(scope="module")
def loaded(operated: Operated) -> Operated:
    """Cause some of each: products, likes, a rejected task."""
    ids = [operated.create() for _ in range(10)]
    eventually(lambda: all(operated.arrived(id_) for id_ in ids))
    for id_ in ids:
        operated.client.like(id_)
    call = ["--args", '["no list"]', "--queue", "client.products"]
    assert operated.celery("call", "tasks.sync_products", *call).returncode == 0
    return operated


def test_every_metric_of_alerts_and_dashboard_is_in_a_scrape(loaded: Operated) -> None:
    assert len(named()) > 15

    def missing() -> set[str]:
        scrapes = [scrape(url) for url in loaded.exporters().values()]
        return named() - {name for answer in scrapes for name in samples(answer.text)}

    eventually(lambda: not missing(), what=f"{missing()} in the scrapes")


# Where whoever writes a rule of their own expects them.
ON_EACH = {"http_request_duration_seconds_count", "store_up", "pool_connections_in_use", "pool_connections_max"}
ON = {
    "Admin": {"sync_lag_seconds", "sync_oldest_age_seconds", "sync_pending", "sync_stuck", "drift", "queue_messages"},
    "Client": {"likes_pending", "likes_oldest_pending_age_seconds", "likes_parked", "dead_letters", "breaker_state"},
    "relay": {"sync_attempts_total"},
    "worker": {"task_duration_seconds_count", "worker_tasks_active", "worker_tasks_reserved"},
}


@pytest.mark.parametrize("exporter", ON)
def test_each_exporter_has_its_metrics(loaded: Operated, exporter: str) -> None:
    expected = ON[exporter] | (ON_EACH if exporter in {"Admin", "Client"} else set())
    eventually(lambda: expected <= samples(scrape(loaded.exporters()[exporter]).text).keys(), what=str(expected))


def test_unknown_metric_is_detected() -> None:
    assert metrics_of('sum by (job) (rate(no_such_total{a="b"}[5m])) / sync_pendign > 0') == {
        "no_such_total",
        "sync_pendign",
    }


def test_metrics_match_what_happened(loaded: Operated) -> None:
    def of(exporter: str) -> dict[str, dict[tuple[str, ...], float]]:
        return samples(scrape(loaded.exporters()[exporter]).text)

    eventually(lambda: of("Admin")["sync_state"][("in_sync",)] == 1)
    eventually(lambda: of("Admin")["sync_pending"][()] == 0 and of("Client")["likes_pending"][()] == 0)
    created = ("/api/v1/products", "201", "POST")
    before = of("Admin")["http_request_duration_seconds_count"][created]
    loaded.create()
    admin, relay, worker = of("Admin"), of("relay"), of("worker")
    assert admin["http_request_duration_seconds_count"][created] == before + 1
    assert admin["sync_lag_seconds"][("0.5",)] < 10
    assert admin["pool_connections_max"][("admin",)] == 2 * 20  # two processes
    assert relay["sync_attempts_total"][("verified",)] >= 10
    outcomes = {labels for labels, count in worker["task_duration_seconds_count"].items() if count}
    assert ("rejected", "tasks.sync_products") in outcomes
    assert ("success", "tasks.forward_likes") in outcomes


def test_no_process_answers_without_the_token(operated: Operated) -> None:
    for url in operated.exporters().values():
        assert scrape(url, token="wrong").status_code == 401, url


def test_worker_processes_count_together(operated: Operated) -> None:
    """The count covers the requests of all worker processes."""

    def answered() -> float:
        found = samples(scrape(operated.exporters()["Client"]).text)
        return found["http_request_duration_seconds_count"].get(("/livez", "200", "GET"), 0)

    before = answered()
    assert all(answers_ok(operated.product.addresses.client_port, "/livez") for _ in range(20))
    assert {answered() for _ in range(8)} == {before + 20}


def test_no_label_contains_input_of_a_caller(operated: Operated) -> None:
    operated.admin.request("GET", "/nowhere/at/all/4711")
    operated.admin.request("BREW", "/api/v1/products")
    text = scrape(operated.exporters()["Admin"]).text
    assert "4711" not in text
    assert "BREW" not in text


@pytest.mark.parametrize("arguments", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_accepts_the_rules_and_sees_each_fire(arguments: list[str]) -> None:
    promtool = shutil.which("promtool", path="/usr/bin:/usr/local/bin")
    assert promtool, "run: apt-get install --no-install-recommends prometheus"
    done = subprocess.run([promtool, *arguments], cwd=Path(ALERTS).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
