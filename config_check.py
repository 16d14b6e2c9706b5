"""``lockstep config check``: every setting with where it came from; secrets masked."""

import os
from importlib import import_module
from pathlib import Path

import click
from dotenv import dotenv_values
from pydantic import SecretStr

from web.settings import Settings, SettingsError

_CLASSES = {
    "admin": "admin.config:AdminSettings",
    "client": "client.config:ClientSettings",
    "web": "web.settings:WebSettings",
    "limits": "web.limits:LimitSettings",
    "broker": "tasks.config:BrokerSettings",
    "flower": "tasks.config:FlowerSettings",
    "metrics": "web.metrics:MetricsSettings",
    "logs": "web.logs:LogSettings",
    "tracing": "web.tracing:TracingSettings",
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
def check(services: tuple[str, ...]) -> None:
    """Print every setting of SERVICES (default: all) with its source, and what is wrong with it."""
    known, problems = settings_classes(), []
    for name in services or tuple(known):
        try:
            _show(name, known[name]())
        except SettingsError as error:
            problems += str(error).splitlines()
    problems += [f"{name}: no such setting; see .env.example" for name in unknown_settings()]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(2)


def unknown_settings() -> list[str]:
    """Return names that look like ours, in the environment or ``.env``, but are no setting: typos."""
    known = {field.upper() for cls in settings_classes().values() for field in cls.model_fields}
    known |= {f"{name}_FILE" for name in known}
    given = os.environ.keys() | dotenv_values(".env").keys()
    ours = tuple({name.partition("_")[0] + "_" for name in known} - _OF_OTHERS)
    return sorted(name for name in given if name.startswith(ours) and name not in known)


def _show(service: str, settings: Settings) -> None:
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        shown = "********" if isinstance(value, SecretStr) else value
        click.echo(f"{service:7} {field.upper():20} {shown}  ({_source(field.upper())})")


def _source(name: str) -> str:
    if name in os.environ:
        return "environment"
    if f"{name}_FILE" in os.environ:
        return os.environ[f"{name}_FILE"]
    return ".env" if Path(".env").exists() and name in dotenv_values(".env") else "default"
