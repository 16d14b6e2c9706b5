"""``lockstep config check``: every setting with where it came from; secrets masked."""

import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click
from pydantic import SecretStr

from runtime.cli.commands import EXIT_USAGE
from runtime.cli.terminal import json_option
from runtime.settings import Settings, SettingsError, read_dotenv

_CLASSES = {
    "admin": "admin.config:AdminSettings",
    "client": "client.config:ClientSettings",
    "web": "runtime.settings:WebSettings",
    "limits": "web.security.limits:LimitSettings",
    "broker": "contract.config:BrokerSettings",
    "flower": "contract.config:FlowerSettings",
    "metrics": "runtime.metrics:MetricsSettings",
    "logs": "runtime.logs:LogSettings",
    "tracing": "runtime.tracing:TracingSettings",
}

_OF_OTHERS = {"CELERY_", "FLOWER_", "OTEL_"}  # Celery, Flower and OpenTelemetry read many more


def settings_classes() -> dict[str, type[Settings]]:
    """Return every class of settings there is, by the name that the command line knows."""
    found = {}
    for name, target in _CLASSES.items():
        module, _, class_name = target.partition(":")
        found[name] = getattr(import_module(module), class_name)
    return found


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@click.argument("services", nargs=-1, type=click.Choice(list(_CLASSES)))
@json_option
def check(services: tuple[str, ...], as_json: bool) -> None:
    """Print every setting with its source, and what is wrong.

    SERVICES narrows it to theirs. Secrets are masked. Exits 2 when something is wrong.

    \b
    Examples:
      lockstep config check
      lockstep config check admin broker
      lockstep config check --json | jq '.[] | select(.source != "default") | .name'
    """
    known, shown, problems = settings_classes(), [], []
    for name in services or tuple(known):
        try:
            shown += list(_shown(name, known[name]()))
        except SettingsError as error:
            problems += str(error).splitlines()
    problems += [f"{name}: no such setting; see .env.example" for name in unknown_settings()]
    if as_json:
        click.echo(json.dumps(shown, indent=2))
    else:
        for one in shown:
            click.echo(f"{one['service']:7} {one['name']:20} {one['value']}  ({one['source']})")
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(EXIT_USAGE)


def given_names() -> set[str]:
    """Return every name that the environment or ``.env`` gives a value, ours or not."""
    return os.environ.keys() | read_dotenv().keys()


def unknown_settings() -> list[str]:
    """Return names that look like ours, in the environment or ``.env``, but are no setting: typos."""
    known = {field.upper() for cls in settings_classes().values() for field in cls.model_fields}
    known |= {f"{name}_FILE" for name in known}
    ours = tuple({name.partition("_")[0] + "_" for name in known} - _OF_OTHERS)
    return sorted(name for name in given_names() if name.startswith(ours) and name not in known)


def _shown(service: str, settings: Settings) -> Iterator[dict[str, Any]]:
    for field in type(settings).model_fields:
        value, name = getattr(settings, field), field.upper()
        masked = "********" if isinstance(value, SecretStr) else value
        yield {"service": service, "name": name, "value": masked, "source": _source(name)}


def _source(name: str) -> str:
    if name in os.environ:
        return "environment"
    if f"{name}_FILE" in os.environ:
        return os.environ[f"{name}_FILE"]
    return ".env" if name in read_dotenv() else "default"
