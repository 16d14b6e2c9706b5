"""docker-compose.yml, the Dockerfile and .env.example against the code: what they name must exist.

Nothing here needs Docker. ``faults_of`` returns what is wrong, in words; the tests below also give it files that
are wrong, to show that it notices.
"""

import copy
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml
from celery.bin.celery import celery as celery_cli
from dotenv import dotenv_values
from flask import Flask
from flower.urls import handlers as flower_routes
from gunicorn.config import Config

import admin
import client
import lockstep
from admin.config import AdminSettings
from client.config import ClientSettings
from config_check import settings_classes
from tasks.config import BrokerSettings
from web.limits import LimitSettings
from web.metrics import MetricsSettings
from web.settings import Settings, SettingsError, WebSettings

ROOT = Path(__file__).parents[2]
README_SECRETS = "mkdir -m 700 secrets"  # how the README's command that makes them begins

ALL_SETTINGS = tuple(settings_classes().values())

# What each of our services reads at start.
SETTINGS: dict[str, tuple[type[Settings], ...]] = {
    "admin-migrate": (AdminSettings,),
    "admin": (AdminSettings, WebSettings, LimitSettings, BrokerSettings, MetricsSettings),
    "relay": (AdminSettings, BrokerSettings, MetricsSettings),
    "client-migrate": (ClientSettings,),
    "client": (ClientSettings, WebSettings, LimitSettings, BrokerSettings, MetricsSettings),
    "worker": (ClientSettings, BrokerSettings, MetricsSettings),
    "beat": (BrokerSettings,),
    "flower": (BrokerSettings,),
}

# Variables that others read, and who.
FOREIGN = {
    "MYSQL_DATABASE": "the mysql image: the database it creates",
    "MYSQL_USER": "the mysql image: the user it creates",
    "MYSQL_PASSWORD_FILE": "the mysql image: that user's password",
    "MYSQL_ROOT_PASSWORD_FILE": "the mysql image",
    "MONGO_INITDB_ROOT_USERNAME": "the mongo image",
    "MONGO_INITDB_ROOT_PASSWORD_FILE": "the mongo image",
    "REMAP_SIGTERM": "Celery: what a worker does when it is asked to stop",
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

Compose = dict[str, Any]


def faults_of(compose: Compose) -> list[str]:
    """Return everything in a parsed docker-compose.yml that does not fit the code, or itself."""
    faults: list[str] = []
    for name, service in compose["services"].items():
        checks = (_environment, _command, _health, _start_order, _mounts, _image)
        faults += [f"{name}: {fault}" for check in checks for fault in check(name, service, compose)]
    ours = {name for name, service in compose["services"].items() if "build" in service}
    faults += [f"{name}: is not in SETTINGS of this test" for name in ours - SETTINGS.keys()]
    faults += [f"{name}: is missing" for name in SETTINGS.keys() - ours]
    return faults


def _environment(name: str, service: dict[str, Any], compose: Compose) -> Iterator[str]:
    given = service.get("environment", {})
    known = {field.upper() for cls in SETTINGS.get(name, ()) for field in cls.model_fields}
    for variable, value in given.items():
        setting = variable.removesuffix("_FILE")
        if variable not in FOREIGN and setting not in known:
            yield f"sets {variable}, which it does not read"
        if variable.endswith("_FILE") and value not in {f"/run/secrets/{secret}" for secret in _secrets(service)}:
            yield f"{variable} is {value}, which is not mounted"
        if setting.endswith("_URL") and str(value).startswith("http"):
            yield from _reaches(setting, urlsplit(value), compose)
    needed = {name.upper() for cls in SETTINGS.get(name, ()) for name, f in cls.model_fields.items() if f.is_required()}
    for setting in sorted(needed):
        if setting not in given and f"{setting}_FILE" not in given:
            yield f"does not set {setting}"


FOR_BROWSERS = {"ADMIN_SHOP_URL", "ADMIN_FLOWER_URL"}  # on the host, outside of the networks


def _reaches(setting: str, url: Any, compose: Compose) -> Iterator[str]:
    if setting in FOR_BROWSERS:
        published = {
            port.rpartition(":")[0] for service in compose["services"].values() for port in service.get("ports", [])
        }
        if url.netloc not in published:
            yield f"{setting}: nothing is published at {url.netloc}"
        return
    target = compose["services"].get(url.hostname)
    if target is None:
        yield f"{setting} names no service: {url.hostname}"
    elif f"0.0.0.0:{url.port}" not in target["command"]:
        yield f"{setting}: {url.hostname} does not listen on {url.port}"


def _command(name: str, service: dict[str, Any], _compose: Compose) -> Iterator[str]:
    if name not in SETTINGS:
        return  # an image's own command
    program, *arguments = service["command"]
    if program not in entry_points(group="console_scripts").names:
        yield f"no such command: {program}"
        return
    try:
        {"lockstep": _check_lockstep, "celery": _check_celery, "gunicorn": _check_gunicorn}[program](arguments)
    except (click.ClickException, ImportError, LookupError, OSError, ValueError) as error:
        yield f"{shlex.join(service['command'])}: {error}"


def _check_lockstep(arguments: list[str]) -> None:
    """Parse as click would, without running anything."""
    group = lockstep.cli
    with group.make_context("lockstep", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, arguments)
        assert command
        command.make_context(name, rest).close()


def _check_celery(arguments: list[str]) -> None:
    match arguments:
        case ["-A", application, name, *options]:
            import_module(application)
        case _:
            raise ValueError("is not 'celery -A APPLICATION COMMAND'")
    command = celery_cli.commands[name]
    if name == "flower":  # it takes Tornado's options, which click does not know
        return
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if unknown := [option for option in options if option.startswith("-") and option not in known]:
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


def _health(name: str, service: dict[str, Any], _compose: Compose) -> Iterator[str]:
    if "ports" in service and "healthcheck" not in service:
        yield "has a port but no health check"
    probe = " ".join(service.get("healthcheck", {}).get("test", []))
    if name not in SETTINGS or not (found := re.search(r"http://127\.0\.0\.1:(\d+)(/[^']*)", probe)):
        return
    port, path = found.groups()
    if path not in _routes(name):
        yield f"has no route {path} to be asked for its health"
    if not any(str(mapping).endswith(f":{port}") for mapping in service["ports"]):
        yield f"is asked for its health on port {port}, where it does not listen"


@cache
def _routes(name: str) -> set[str]:
    if name == "flower":
        return {route[0] if isinstance(route, tuple) else route.regex.pattern.rstrip("$") for route in flower_routes}
    makers: dict[str, Callable[[], Flask]] = {
        "admin": lambda: admin.create_app(AdminSettings(**ADMIN)),
        "client": lambda: client.create_app(ClientSettings(**CLIENT)),
    }
    return {rule.rule for rule in makers[name]().url_map.iter_rules()}


def _start_order(_name: str, service: dict[str, Any], compose: Compose) -> Iterator[str]:
    for other, how in service.get("depends_on", {}).items():
        target = compose["services"].get(other)
        if target is None:
            yield f"waits for {other}, which is no service"
        elif how["condition"] == "service_healthy" and "healthcheck" not in target:
            yield f"waits for {other} to be healthy, which has no health check"
        elif (how["condition"] == "service_completed_successfully") != (target["restart"] == "no"):
            yield f"waits for {other} in the wrong way: {how['condition']}"


def _mounts(_name: str, service: dict[str, Any], compose: Compose) -> Iterator[str]:
    named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
    used = {
        "volumes": named,
        "networks": set(service.get("networks", [])),
        "secrets": set(_secrets(service)),
        "configs": {config["source"] for config in service.get("configs", [])},
    }
    for kind, names in used.items():
        for missing in sorted(names - compose[kind].keys()):
            yield f"uses {missing}, which is not under {kind}"


def _image(_name: str, service: dict[str, Any], _compose: Compose) -> Iterator[str]:
    if "build" not in service and not re.fullmatch(r"[a-z]+:\d+\.\d+(-management)?", service["image"]):
        yield f"the image {service['image']} is not pinned to a release series"


def _secrets(service: dict[str, Any]) -> list[str]:
    return [s if isinstance(s, str) else s["source"] for s in service.get("secrets", [])]


@cache
def read_compose() -> Compose:
    """Shared by the tests, so not to be changed."""
    parsed: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture(autouse=True)
def _no_settings_from_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this shell's variables nor a developer's .env may decide."""
    for field in _all_settings():
        monkeypatch.delenv(field, raising=False)
        monkeypatch.delenv(f"{field}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)


def _all_settings() -> set[str]:
    return {field.upper() for cls in ALL_SETTINGS for field in cls.model_fields}


def test_compose_names_only_what_exists() -> None:
    assert faults_of(read_compose()) == []


def rename(mapping: dict[str, Any], old: str, new: str) -> None:
    mapping[new] = mapping.pop(old)


MISTAKES: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    (
        "sets ADMIN_DB_URL_FILE",
        lambda s: rename(s["admin"]["environment"], "ADMIN_DATABASE_URL_FILE", "ADMIN_DB_URL_FILE"),
    ),
    ("admin: does not set ADMIN_DATABASE_URL", lambda s: s["admin"]["environment"].pop("ADMIN_DATABASE_URL_FILE")),
    ("beat: does not set CELERY_BROKER_URL", lambda s: s["beat"].update(environment={})),
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
    ("has a port but no health check", lambda s: s["flower"].pop("healthcheck")),
    ("waits for postgres", lambda s: rename(s["admin-migrate"]["depends_on"], "mysql", "postgres")),
    ("which has no health check", lambda s: s["mysql"].pop("healthcheck")),
    ("in the wrong way", lambda s: s["client"]["depends_on"]["client-migrate"].update(condition="service_started")),
    ("which is not under volumes", lambda s: s["mysql"].update(volumes=["mysql-data:/var/lib/mysql"])),
    ("which is not under networks", lambda s: s["mysql"].update(networks=["store"])),
    ("which is not under secrets", lambda s: s["mysql"]["secrets"].append("password")),
    ("is not pinned", lambda s: s["rabbitmq"].update(image="rabbitmq:latest")),
    ("is not pinned", lambda s: s["mongodb"].update(image="mongo")),
    ("beat: is missing", lambda s: s.pop("beat")),
    ("is not in SETTINGS", lambda s: s.update(extra={"build": ".", "restart": "no"})),
]


@pytest.mark.parametrize(("fault", "mistake"), MISTAKES, ids=[fault for fault, _ in MISTAKES])
def test_mistake_in_compose_is_noticed(fault: str, mistake: Callable[[dict[str, Any]], object]) -> None:
    compose = dict(read_compose())
    # One by one: YAML's anchors make services share parts, and a mistake in one must not be one in all.
    compose["services"] = {name: copy.deepcopy(service) for name, service in compose["services"].items()}
    mistake(compose["services"])
    assert any(fault in found for found in faults_of(compose)), faults_of(compose)


def test_stop_gives_the_worker_time_to_hand_its_tasks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://broker")
    settings = runpy.run_path(str(ROOT / "celeryconfig.py"))
    grace = read_compose()["services"]["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > settings["worker_soft_shutdown_timeout"]


# --- Dockerfile -----------------------------------------------------------------------------------------------


def faults_of_image(dockerfile: str, ignored: str) -> list[str]:
    """Return what is wrong with a Dockerfile beside a .dockerignore that lists what is let in."""
    let_in = [line[1:] for line in ignored.splitlines() if line.startswith("!")]
    copied = _copied(dockerfile)
    faults = [f"{source} does not exist" for source in copied if not (ROOT / source).exists()]
    faults += [f"{source} is kept out by .dockerignore" for source in copied if source not in let_in]
    faults += [f"{source} is not copied" for source in _installed() if source not in copied]
    faults += [f"{name} is let in but not copied" for name in let_in if name not in copied]
    bases = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM ")]
    faults += [f"{base} is not pinned" for base in bases if not re.fullmatch(r"[a-z]+:\d+\.\d+-slim", base)]
    if "USER " not in dockerfile.rpartition("FROM ")[2]:
        faults.append("it runs as root")
    return faults


def _copied(dockerfile: str) -> list[str]:
    lines = [line for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from=" not in line]
    return [source for line in lines for source in line.split()[1:-1]]


def _installed() -> list[str]:
    """What setup.cfg says that an installation consists of."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    modules = setup["options"]["py_modules"].split()
    packages = setup["options.packages.find"]["include"].split()
    return [f"{module}.py" for module in modules] + [package.rstrip("*") for package in packages]


def test_image_is_built_from_what_exists() -> None:
    assert faults_of_image((ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text()) == []


@pytest.mark.parametrize(
    ("fault", "right", "wrong"),
    [
        ("admin_web does not exist", "COPY admin admin/", "COPY admin_web admin/"),
        ("admin is not copied", "COPY admin admin/", ""),
        ("README.md is let in but not copied", " README.md", ""),
        (".env is kept out", "COPY gunicorn.conf.py ./", "COPY gunicorn.conf.py .env ./"),
        ("is not pinned", "python:3.12-slim", "python:latest"),
        ("it runs as root", "USER lockstep", ""),
    ],
)
def test_mistake_in_the_dockerfile_is_noticed(fault: str, right: str, wrong: str) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert right in dockerfile
    faults = faults_of_image(dockerfile.replace(right, wrong), (ROOT / ".dockerignore").read_text())
    assert any(fault in found for found in faults), faults


def test_what_the_image_installs_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """An editable installation, which everyone works with, would hide a migration that is left out."""
    for name in _copied((ROOT / "Dockerfile").read_text().rpartition("FROM ")[0]):
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / "src" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "./src"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    packages = [path for path in (tmp_path / "src").iterdir() if path.name in _installed()]
    files = [file for path in packages for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    wanted = {file.relative_to(tmp_path / "src").as_posix() for file in files}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


# --- .env.example and secrets ---------------------------------------------------------------------------------


def test_env_example_names_exactly_the_settings() -> None:
    assert dotenv_values(ROOT / ".env.example").keys() == _all_settings()


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_env_example_holds_no_value_that_works(settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for field in settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    with pytest.raises(SettingsError) as refused:
        settings(_env_file=ROOT / ".env.example")
    named = {line.partition(":")[0] for line in str(refused.value).splitlines()}
    assert named == {field.upper() for field in settings.model_fields}


def make_secrets(folder: Path) -> Path:
    """Run the README's command in ``folder``; return the folder that it made."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [command] = [block for block in blocks if block.startswith(README_SECRETS)]
    subprocess.run([str(shutil.which("sh")), "-euc", command], cwd=folder, check=True, timeout=30)
    return folder / "secrets"


def test_readme_makes_exactly_the_secrets_that_compose_mounts(tmp_path: Path) -> None:
    made = {path.name for path in make_secrets(tmp_path).iterdir()}
    compose = read_compose()
    assert made == {Path(secret["file"]).name for secret in compose["secrets"].values()} | {"flower.env"}
    assert {secret["file"] for secret in compose["secrets"].values()} == {f"secrets/{n}" for n in compose["secrets"]}
    assert compose["services"]["flower"]["env_file"] == ["secrets/flower.env"]


def test_secrets_of_the_readme_are_taken_by_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_secrets(tmp_path)
    for name, classes in SETTINGS.items():
        for variable, value in read_compose()["services"][name]["environment"].items():
            monkeypatch.setenv(variable, str(value).replace("/run/secrets", str(folder)))
        for settings in classes:
            settings()


def test_secrets_of_the_readme_agree_with_each_other(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    read = {path.name: path.read_text().strip() for path in folder.iterdir()}
    hosts = {
        "admin_database_url": (read["mysql_password"], "mysql", "/lockstep"),
        "client_mongodb_url": (read["mongodb_password"], "mongodb", "/lockstep"),
        "celery_broker_url": (read["rabbitmq_conf"].rpartition("= ")[2], "rabbitmq", "//"),
    }
    for name, expected in hosts.items():
        url = urlsplit(read[name])
        assert (url.password, url.hostname, url.path) == expected
        assert url.username == "lockstep"
    assert len(set(read.values())) == len(read)


def test_secrets_are_closed_to_other_users_and_open_to_the_containers(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    # The servers in the containers run as users of their own, and see the file, not the folder.
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


def test_secrets_reach_neither_git_nor_the_image() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert not any(fnmatch(path, pattern) for path in ("secrets", ".env", ".git") for pattern in let_in)
    assert {"secrets/", ".env"} <= set((ROOT / ".gitignore").read_text().splitlines())
