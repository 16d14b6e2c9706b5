"""docker-compose.yml, its overlay for clusters and ops/prometheus.yml against the code: what they name must exist.

Nothing here needs Docker. ``faults_of`` returns what is wrong, in words; the tests below also give it files that
are wrong, to show that it notices.
"""

import copy
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from admin.imports.service import MAX_MEBIBYTES
from tests.contract.compose_check import ROOT, SETTINGS, Compose, faults_of, read_compose, seconds
from tools.stack.product import Addresses, Product, Secrets
from web.http.api import MAX_BODY_BYTES

CLUSTER = "docker-compose.cluster.yml"
TLS = "docker-compose.tls.yml"
pytestmark = pytest.mark.usefixtures("no_settings_from_around")


@pytest.mark.parametrize("more", [(), (CLUSTER,), (TLS,)], ids=["alone", "cluster", "tls"])
def test_compose_names_only_what_exists(more: tuple[str, ...]) -> None:
    assert faults_of(read_compose(*more)) == []


def validate(compose: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_compose_files_keep_to_the_specification(tmp_path: Path) -> None:
    """Compose's schema has every key and its type; it refuses the last file."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((ROOT / "docker-compose.yml").read_text().replace("healthcheck:", "health_check:"))
    right = [ROOT / name for name in ("docker-compose.yml", CLUSTER, TLS)]
    assert [validate(path).returncode for path in (*right, wrong)] == [0, 0, 0, 1]


def rename(mapping: dict[str, Any], old: str, new: str) -> None:
    mapping[new] = mapping.pop(old)


MISTAKES: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    (
        "sets ADMIN_DB_URL_FILE",
        lambda s: rename(s["admin"]["environment"], "ADMIN_DATABASE_URL_FILE", "ADMIN_DB_URL_FILE"),
    ),
    ("admin: does not hand on ADMIN_DATABASE_URL", lambda s: s["admin"]["environment"].pop("ADMIN_DATABASE_URL_FILE")),
    ("beat: does not hand on CELERY_BROKER_URL", lambda s: s["beat"].update(environment={})),
    ("which it does not read", lambda s: s["beat"]["environment"].update(ADMIN_CLIENT_URL="http://client:8000")),
    ("which is not mounted", lambda s: s["relay"]["secrets"].remove("service_keys")),
    ("names no service: shop", lambda s: s["relay"]["environment"].update(ADMIN_CLIENT_URL="http://shop:8000")),
    ("nothing is published at", lambda s: s["admin"]["environment"].update(ADMIN_SHOP_URL="http://127.0.0.1:80")),
    ("does not listen on 80", lambda s: s["worker"]["environment"].update(CLIENT_ADMIN_URL="http://admin:80")),
    ("No such command 'relais'", lambda s: s["relay"].update(command=["lockstep", "relais"])),
    ("'shop' is not one of", lambda s: s["client-migrate"].update(command=["lockstep", "migrate", "shop"])),
    ("no such command: lockstop", lambda s: s["relay"].update(command=["lockstop", "relay"])),
    ("'worcer'", lambda s: s["worker"]["command"].__setitem__(3, "worcer")),
    ("unknown options ['--without-mangle']", lambda s: s["worker"]["command"].append("--without-mangle")),
    ("No module named 'task'", lambda s: s["flower"].update(command=["celery", "-A", "task", "flower"])),
    ("no such application: admin:make_app()", lambda s: s["admin"]["command"].__setitem__(-1, "admin:make_app()")),
    ("no such file: unicorn.py", lambda s: s["client"]["command"].__setitem__(2, "unicorn.py")),
    (
        "has no route /health",
        lambda s: s["admin"]["healthcheck"].update(test=["CMD", "'http://127.0.0.1:8000/health'"]),
    ),
    ("on port 9000", lambda s: s["client"]["healthcheck"].update(test=["CMD", "'http://127.0.0.1:9000/readyz'"])),
    ("has no route /ping", lambda s: s["flower"]["healthcheck"].update(test=["CMD", "'http://127.0.0.1:5555/ping'"])),
    ("flower: has no health check", lambda s: s["flower"].pop("healthcheck")),
    ("waits for postgres", lambda s: rename(s["admin-migrate"]["depends_on"], "mysql", "postgres")),
    ("which has no health check", lambda s: s["mysql"].pop("healthcheck")),
    ("in the wrong way", lambda s: s["client"]["depends_on"]["client-migrate"].update(condition="service_started")),
    ("which is not under volumes", lambda s: s["mysql"].update(volumes=["mysql-data:/var/lib/mysql"])),
    ("which is not under networks", lambda s: s["mysql"].update(networks=["store"])),
    ("which is not under secrets", lambda s: s["mysql"]["secrets"].append("password")),
    ("is not pinned", lambda s: s["rabbitmq"].update(image="rabbitmq:latest")),
    ("is not pinned", lambda s: s["mongodb"].update(image="mongo")),
    ("does not hand on LOG_LEVEL", lambda s: s["worker"]["environment"].pop("LOG_LEVEL")),
    ("does not hand on READ_ONLY", lambda s: rename(s["client"]["environment"], "READ_ONLY", "READONLY")),
    ("beat: has no health check", lambda s: s["beat"].pop("healthcheck")),
    ("'worcer'", lambda s: s["worker"]["healthcheck"]["test"].__setitem__(3, "worcer")),
    ("No such option '--heart'", lambda s: s["relay"]["healthcheck"]["test"].__setitem__(4, "--heart")),
    ("is not what it writes", lambda s: s["beat"]["healthcheck"]["test"].__setitem__(-1, "/run/schedule")),
    (
        "asks mongo for its health",
        lambda s: s["mongodb"]["healthcheck"]["test"].__setitem__(3, "mongodb://mongo:27017/?"),
    ),
    ("unknown options ['--persist']", lambda s: s["flower"]["command"].__setitem__(4, "--persist=true")),
    ("writes to /data/flower", lambda s: s["flower"]["command"].__setitem__(5, "--db=/data/flower")),
    ("read_only is not True", lambda s: s["client"].pop("read_only")),
    ("does not come back", lambda s: s["worker"].update(restart="on-failure")),
    ("may take all memory", lambda s: s["mysql"].pop("deploy")),
    ("may fill the disk", lambda s: s["rabbitmq"].pop("logging")),
    ("worker: has container_name", lambda s: s["worker"].update(container_name="worker")),
    ("relay: has ports", lambda s: s["relay"].update(ports=["9101:9101"])),
    ("counts on rabbitmq-2", lambda s: s["rabbitmq-2"].update(hostname="rabbit-2")),
    ("counts on mongodb-4", lambda s: s["mongodb-init"]["environment"].update(MONGODB_MEMBERS="mongodb-4:27017")),
    (
        "waits for rabbitmq-cookies",
        lambda s: rename(s["rabbitmq-3"]["depends_on"], "rabbitmq-cookie", "rabbitmq-cookies"),
    ),
    ("asks mongodb-2 for its health", lambda s: s["mongodb-3"].update(healthcheck=s["mongodb-2"]["healthcheck"])),
    ("beat: is missing", lambda s: s.pop("beat")),
    ("is not in SETTINGS", lambda s: s.update(extra={"build": ".", "restart": "no"})),
]


@pytest.mark.parametrize(("fault", "mistake"), MISTAKES, ids=[fault for fault, _ in MISTAKES])
def test_mistake_in_compose_is_found(fault: str, mistake: Callable[[dict[str, Any]], object]) -> None:
    compose = dict(read_compose(CLUSTER))
    # A copy: services share parts by YAML anchors, and a mistake in one must not be in all.
    compose["services"] = {name: copy.deepcopy(service) for name, service in compose["services"].items()}
    mistake(compose["services"])
    assert any(fault in found for found in faults_of(compose)), faults_of(compose)


def test_each_process_can_stop_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process must stop in less time than Docker waits."""
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://broker")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")  # restores the value that gunicorn.conf.py sets
    celery, gunicorn = (runpy.run_path(str(ROOT / f"{name}.py")) for name in ("celeryconfig", "gunicorn.conf"))
    services = read_compose()["services"]
    given = {name: seconds(services[name]["stop_grace_period"]) for name in ("admin", "client", "worker")}
    assert given["worker"] > celery["worker_soft_shutdown_timeout"]
    assert min(given["admin"], given["client"]) > gunicorn["graceful_timeout"]


# --- the tests' own services ----------------------------------------------------------------------------------

# What the tests say besides, and the container's address, name and disk make needless.
BESIDES = {"flower": ["--address", "--port"], "worker": ["-n"]}


def shape(command: list[str]) -> list[str]:
    """Return a command without parts that differ between hosts: addresses, paths and numbers."""
    words = [re.sub(r"^(--[\w-]+)=.*", r"\1", word) for word in command]
    return [word for word in words if not re.fullmatch(r"/.*|\d+|[\w.]+:\d+|\w+@lockstep", word)]


def test_tests_run_the_commands_of_compose(tmp_path: Path) -> None:
    addresses = Addresses("sqlite://", "mongodb://", "amqp://", admin_port=1, client_port=2, flower_port=3)
    product = Product(addresses, Secrets(), folder=tmp_path, logs=tmp_path)
    Product.made.remove(product)  # it never ran, and left no logs
    for name in SETTINGS.keys() - {"admin-migrate", "client-migrate"}:
        ours, theirs = shape(list(getattr(product, name).command)), shape(read_compose()["services"][name]["command"])
        assert sorted(ours) == sorted([*theirs, *BESIDES.get(name, [])])


def test_tests_give_each_process_what_compose_gives_it(tmp_path: Path) -> None:
    addresses = Addresses("sqlite://", "mongodb://", "amqp://", admin_port=1, client_port=2, flower_port=3)
    product = Product(addresses, Secrets(), folder=tmp_path, logs=tmp_path)
    Product.made.remove(product)
    optional = re.compile("METRICS_|CLIENT_OIDC_|CLIENT_PUBLIC_|REMAP_SIGTERM")  # set by their own tests
    for name in SETTINGS.keys() - {"admin-migrate", "client-migrate"}:
        environment = read_compose()["services"][name]["environment"]
        assert seconds(read_compose()["services"][name]["stop_grace_period"]) == getattr(product, name).stop_within
        given = {variable.removesuffix("_FILE") for variable, value in environment.items() if value is not None}
        assert {variable for variable in given if not optional.match(variable)} <= getattr(product, name).env.keys()


def test_proxy_forwards_to_the_web_services_which_trust_it() -> None:
    compose = read_compose(TLS)
    caddyfile = compose["configs"]["caddyfile"]["content"]
    for name in re.findall(r"reverse_proxy ([\w:]+)", caddyfile):
        service, port = name.split(":")
        assert f"0.0.0.0:{port}" in compose["services"][service]["command"]
        assert compose["services"][service]["environment"]["TRUSTED_PROXIES"] == "1"
        assert set(compose["services"][service]["networks"]) & set(compose["services"]["proxy"]["networks"])
    hosts = re.findall(r"\{\$\$(\w+)\}", caddyfile)  # $$: Compose passes $ to Caddy
    assert hosts == list(compose["services"]["proxy"]["environment"])
    limits = [int(megabytes) for megabytes in re.findall(r"max_size (\d+)MB", caddyfile)]
    assert limits[0] * 10**6 > MAX_MEBIBYTES * 2**20
    assert limits[1] * 10**6 > MAX_BODY_BYTES


# --- ops/prometheus.yml ---------------------------------------------------------------------------------------


def untrue_targets(prometheus: Any, compose: Compose) -> list[str]:
    """Return the targets of a Prometheus configuration where no service of Compose answers."""
    named = []
    for job in prometheus["scrape_configs"]:
        named += [target for static in job.get("static_configs", []) for target in static["targets"]]
        named += [f"{name}:{dns['port']}" for dns in job.get("dns_sd_configs", []) for name in dns["names"]]
    listening = set()
    for name, service in compose["services"].items():
        bound = [*service.get("command", []), str(service.get("environment", {}).get("METRICS_ADDRESS"))]
        listening |= {f"{name}:{word.partition(':')[2]}" for word in bound if word.startswith("0.0.0.0:")}
    return sorted(set(named) - listening)


def test_prometheus_finds_every_exporter() -> None:
    prometheus = yaml.safe_load((ROOT / "ops" / "prometheus.yml").read_text())
    assert untrue_targets(prometheus, read_compose()) == []
    token = prometheus["scrape_configs"][0]["authorization"]["credentials_file"]
    assert read_compose()["services"]["relay"]["environment"]["METRICS_TOKEN_FILE"] == token
    prometheus["scrape_configs"][2]["dns_sd_configs"][0]["port"] = 9102
    assert untrue_targets(prometheus, read_compose()) == ["relay:9102"]
