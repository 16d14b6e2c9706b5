"""Check a Compose file: everything it names must exist in the code or in the file."""

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import yaml
from celery.bin.celery import celery as celery_cli
from flask import Flask
from flower.options import default_options as flower_options
from flower.urls import handlers as flower_routes
from gunicorn.config import Config

import admin
import client
from admin.config import AdminSettings
from client.config import ClientSettings
from contract.config import BrokerSettings, FlowerSettings
from lockstep.main import cli as lockstep_cli
from runtime.cli.commands import LazyCommand
from runtime.logs import LogSettings
from runtime.metrics import MetricsSettings
from runtime.settings import Settings, WebSettings
from runtime.tracing import TracingSettings
from web.security.limits import LimitSettings

ROOT = Path(__file__).parents[2]
ALWAYS = (LogSettings, TracingSettings)

# What each of our services reads at start.
SETTINGS: dict[str, tuple[type[Settings], ...]] = {
    "admin-migrate": (AdminSettings, *ALWAYS),
    "admin": (AdminSettings, WebSettings, LimitSettings, BrokerSettings, MetricsSettings, *ALWAYS),
    "relay": (AdminSettings, BrokerSettings, MetricsSettings, *ALWAYS),
    "client-migrate": (ClientSettings, *ALWAYS),
    "client": (ClientSettings, WebSettings, LimitSettings, BrokerSettings, MetricsSettings, *ALWAYS),
    "worker": (ClientSettings, BrokerSettings, MetricsSettings, *ALWAYS),
    "beat": (BrokerSettings, *ALWAYS),
    "flower": (BrokerSettings, FlowerSettings, *ALWAYS),
}
FOR_PAGES = {"ADMIN_SHOP_URL", "ADMIN_FLOWER_URL"}  # for browsers, outside the networks
NOT_NEEDED = {
    "admin": {"METRICS_ADDRESS"},  # it has its own port
    "client": {"METRICS_ADDRESS"},
    "admin-migrate": FOR_PAGES,
    "relay": FOR_PAGES,
}

# Variables that others read, and who.
FOREIGN = {
    "MYSQL_DATABASE": "the mysql image: the database it creates",
    "MYSQL_USER": "the mysql image: the user it creates",
    "MYSQL_PASSWORD_FILE": "the mysql image: that user's password",
    "MYSQL_ROOT_PASSWORD_FILE": "the mysql image",
    "MONGO_INITDB_ROOT_USERNAME": "the mongo image",
    "MONGO_INITDB_ROOT_PASSWORD_FILE": "the mongo image",
    "MONGODB_MEMBERS": "the script in the config mongodb_init",
    "REMAP_SIGTERM": "Celery: what a worker does when it is asked to stop",
    "WEB_CONCURRENCY": "gunicorn: how many worker processes",
    "FLOWER_READ_ONLY": "Flower",
    "ADMIN_HOST": "the config caddyfile: the name by which browsers reach Admin",
    "SHOP_HOST": "the config caddyfile: the name by which browsers reach the shop",
}

# Values of the right kind, for applications that are made but connect to nothing.
ADMIN: dict[str, Any] = {
    "admin_database_url": "sqlite:///:memory:",
    "admin_secret_key": "a" * 32,
    "admin_client_url": "http://client:8000",
    "service_keys": f"k1:{'s' * 32}",
}
CLIENT: dict[str, Any] = {
    "client_mongodb_url": "mongodb://127.0.0.1:1/lockstep",
    "client_secret_key": "c" * 32,
    "client_admin_url": "http://admin:8000",
    "service_keys": f"k1:{'s' * 32}",
}
SCALED = ("relay", "worker")  # docker compose up --scale worker=4 --scale relay=2

Compose = dict[str, Any]
Service = dict[str, Any]


def faults_of(compose: Compose) -> list[str]:
    """Return the errors in a parsed docker-compose.yml, against the code and itself."""
    faults: list[str] = []
    checks = (_environment, _command, _health, _start_order, _mounts, _image, _written, _limits, _scaled, _members)
    for name, service in compose["services"].items():
        faults += [f"{name}: {fault}" for check in checks for fault in check(name, service, compose)]
    ours = {name for name, service in compose["services"].items() if "build" in service}
    faults += [f"{name}: is not in SETTINGS of this test" for name in ours - SETTINGS.keys()]
    faults += [f"{name}: is missing" for name in SETTINGS.keys() - ours]
    return faults


def once(service: Service) -> bool:
    """Return whether a service does its work and ends."""
    return bool(service.get("restart") == "no")


def seconds(duration: str) -> int:
    """Return Compose's ``30s`` or ``2m`` as a number."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def default_of(value: Any) -> str:
    """Return the default of a value: ``x`` for ``${NAME:-x}``."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def _environment(name: str, service: Service, compose: Compose) -> Iterator[str]:
    given = service.get("environment", {})
    known = {field.upper() for cls in SETTINGS.get(name, ()) for field in cls.model_fields}
    for variable, value in given.items():
        setting = variable.removesuffix("_FILE")
        if variable not in FOREIGN and setting not in known:
            yield f"sets {variable}, which it does not read"
        if variable.endswith("_FILE") and value not in {f"/run/secrets/{secret}" for secret in secrets_of(service)}:
            yield f"{variable} is {value}, which is not mounted"
        if setting.endswith("_URL") and (url := default_of(value)).startswith("http"):
            yield from _reaches(setting, urlsplit(url), compose)
    for setting in sorted(known - NOT_NEEDED.get(name, set())):
        if setting not in given and f"{setting}_FILE" not in given:
            yield f"does not hand on {setting}"


def _reaches(setting: str, url: Any, compose: Compose) -> Iterator[str]:
    if setting in FOR_PAGES:
        published = {
            port.rpartition(":")[0] for service in compose["services"].values() for port in service.get("ports", [])
        }
        proxied = {default_of(host) for host in compose["services"].get("proxy", {}).get("environment", {}).values()}
        if url.netloc not in published | (proxied if url.scheme == "https" else set()):
            yield f"{setting}: nothing is published at {url.netloc}"
        return
    target = compose["services"].get(url.hostname)
    if target is None:
        yield f"{setting} names no service: {url.hostname}"
    elif f"0.0.0.0:{url.port}" not in target["command"]:
        yield f"{setting}: {url.hostname} does not listen on {url.port}"


def _command(name: str, service: Service, _compose: Compose) -> Iterator[str]:
    if name in SETTINGS:
        yield from _refused(service["command"])


def _refused(words: list[str]) -> Iterator[str]:
    program, *arguments = words
    if program not in entry_points(group="console_scripts").names:
        yield f"no such command: {program}"
        return
    try:
        {"lockstep": check_lockstep, "celery": check_celery, "gunicorn": _check_gunicorn}[program](arguments)
    except (click.ClickException, ImportError, LookupError, OSError, ValueError) as error:
        yield f"{shlex.join(words)}: {error}"


def check_lockstep(arguments: list[str]) -> None:
    """Parse as click would, down to the last sub-command, without running anything. Raises ClickException."""
    _parse(lockstep_cli, "lockstep", arguments)


def _parse(command: click.Command, name: str, arguments: list[str]) -> None:
    with command.make_context(name, list(arguments)) as context:
        if isinstance(context.command, click.Group):
            found, inner, rest = context.command.resolve_command(context, list(arguments))
            assert inner
            _parse(inner, str(found), rest)


def check_celery(arguments: list[str]) -> None:
    """Raise ClickException, ImportError, LookupError or ValueError for invalid arguments of ``celery``."""
    match arguments:
        case ["-A", application, name, *options]:
            import_module(application)
        case _:
            raise ValueError("is not 'celery -A APPLICATION COMMAND'")
    command = celery_cli.commands[name]
    if isinstance(command, LazyCommand):  # ours
        _parse(command, name, options)
        return
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if name == "flower":  # it has Tornado's options, unknown to click
        known = {f"--{option.replace('_', '-')}" for option in flower_options}
    given = [option.partition("=")[0] for option in options if option.startswith("-")]
    if unknown := [option for option in given if option not in known]:
        raise ValueError(f"unknown options {unknown}")


def _check_gunicorn(arguments: list[str]) -> None:
    try:
        parsed = Config().parser().parse_args(arguments)
    except SystemExit as error:
        raise ValueError("gunicorn does not take these arguments") from error
    if not (ROOT / parsed.config).is_file():
        raise ValueError(f"no such file: {parsed.config}")
    module, _, factory = parsed.args[0].partition(":")
    if not callable(getattr(import_module(module), factory.removesuffix("()"), None)):
        raise ValueError(f"no such application: {parsed.args[0]}")


def _health(name: str, service: Service, _compose: Compose) -> Iterator[str]:
    if "healthcheck" not in service:
        if not once(service):
            yield "has no health check"
        return
    kind, *words = service["healthcheck"]["test"]
    if kind != "CMD":
        yield f"is asked for its health by {kind}: a shell between is one that may hang"
    elif name in SETTINGS and words[0] == "lockstep":
        yield from _refused(words)
        own = set(service["command"])
        yield from (f"{word} is not what it writes" for word in words if word.startswith("/") and word not in own)
    elif found := re.search(r"(?:http|mongodb)://([\w.-]+):(\d+)(/[^']*)", " ".join(words)):
        host, port, path = found.groups()
        if name in SETTINGS and path not in _routes(name):
            yield f"has no route {path} to be asked for its health"
        if name in SETTINGS and not any(str(mapping).endswith(f":{port}") for mapping in service["ports"]):
            yield f"is asked for its health on port {port}, where it does not listen"
        if name not in SETTINGS and host != service["hostname"]:
            yield f"asks {host} for its health"


@cache
def _routes(name: str) -> set[str]:
    if name == "flower":
        return {route[0] if isinstance(route, tuple) else route.regex.pattern.rstrip("$") for route in flower_routes}
    makers: dict[str, Callable[[], Flask]] = {
        "admin": lambda: admin.create_app(AdminSettings(**ADMIN)),
        "client": lambda: client.create_app(ClientSettings(**CLIENT)),
    }
    return {rule.rule for rule in makers[name]().url_map.iter_rules()}


def _start_order(_name: str, service: Service, compose: Compose) -> Iterator[str]:
    for other, how in service.get("depends_on", {}).items():
        target = compose["services"].get(other)
        if target is None:
            yield f"waits for {other}, which is no service"
        elif how["condition"] == "service_healthy" and "healthcheck" not in target:
            yield f"waits for {other} to be healthy, which has no health check"
        elif (how["condition"] == "service_completed_successfully") != once(target):
            yield f"waits for {other} in the wrong way: {how['condition']}"


def _mounts(_name: str, service: Service, compose: Compose) -> Iterator[str]:
    used = {
        "volumes": {volume.partition(":")[0] for volume in service.get("volumes", [])},
        "networks": set(service.get("networks", [])),
        "secrets": set(secrets_of(service)),
        "configs": {config["source"] for config in service.get("configs", [])},
    }
    for kind, names in used.items():
        for missing in sorted(names - compose[kind].keys()):
            yield f"uses {missing}, which is not under {kind}"


def _image(_name: str, service: Service, _compose: Compose) -> Iterator[str]:
    if "build" not in service and not re.fullmatch(r"[a-z]+:\d+\.\d+(-management)?", service["image"]):
        yield f"the image {service['image']} is not pinned to a release series"


def _written(name: str, service: Service, _compose: Compose) -> Iterator[str]:
    """Containers have read-only disks except for mounts."""
    if name not in SETTINGS:
        return
    for option, wanted in {"read_only": True, "cap_drop": ["ALL"], "init": True}.items():
        if service.get(option) != wanted:
            yield f"{option} is not {wanted}"
    mounted = [mount.partition(":")[0] for mount in service.get("tmpfs", [])]
    mounted += [mount.split(":")[1] for mount in service.get("volumes", [])]
    for word in service["command"]:
        if (path := word.rpartition("=")[2]).startswith("/") and not path.startswith(tuple(f"{m}/" for m in mounted)):
            yield f"writes to {path}, which is read-only"


def _limits(_name: str, service: Service, _compose: Compose) -> Iterator[str]:
    if once(service):
        return
    if service.get("restart") != "unless-stopped":
        yield "does not come back after a crash"
    if not {"cpus", "memory"} <= service.get("deploy", {}).get("resources", {}).get("limits", {}).keys():
        yield "may take all memory or all cores"
    if "max-size" not in service.get("logging", {}).get("options", {}):
        yield "may fill the disk with its log"
    if "stop_grace_period" not in service:
        yield "is killed ten seconds after it was asked to stop"


def _scaled(name: str, service: Service, _compose: Compose) -> Iterator[str]:
    if name in SCALED:
        yield from (
            f"has {key}, so there can be one only"
            for key in ("ports", "container_name", "hostname", "volumes")
            if key in service
        )


def _members(_name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Return clusters' nodes that do not exist under their configured names."""
    told = str(service.get("environment", {}).get("MONGODB_MEMBERS", ""))
    texts = [
        compose["configs"][config["source"]]["content"]
        for config in service.get("configs", [])
        if config["source"] in compose["configs"]
    ]
    nodes = [host for text in texts for host in re.findall(r"rabbit@([\w-]+)", text)]
    for host in [*(member.partition(":")[0] for member in told.split(",") if member), *nodes]:
        if compose["services"].get(host, {}).get("hostname") != host:
            yield f"counts on {host}, which is no service of this host name"


def secrets_of(service: Service) -> list[str]:
    """Return the names of the secrets that a service mounts."""
    return [s if isinstance(s, str) else s["source"] for s in service.get("secrets", [])]


@cache
def read_compose(*more: str) -> Compose:
    """Return docker-compose.yml, with the overlays ``more`` on top; shared by the tests, which must not change it."""
    parsed: Compose = {}
    for name in ("docker-compose.yml", *more):
        parsed = merged(parsed, yaml.safe_load((ROOT / name).read_text()))
    return parsed


_REPLACED = {"command", "entrypoint", "test"}


def merged(below: Any, above: Any, key: str = "") -> Any:
    """Merge a value of two files as Compose does: maps are merged, lists joined."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {name: merged(below.get(name), value, name) for name, value in above.items()}
    if isinstance(below, list) and isinstance(above, list) and key not in _REPLACED:
        return below + [item for item in above if item not in below]
    return below if above is None else above
