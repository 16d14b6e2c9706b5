"""``lockstep config check``: every setting with where it came from; secrets masked."""

import os
from pathlib import Path

import click
from dotenv import dotenv_values
from pydantic import SecretStr

from web.settings import Settings, SettingsError

_PREFIXES = (
    *("ADMIN_", "CLIENT_", "SERVICE_", "CELERY_BROKER_", "METRICS_"),
    *("CORS_", "RATE_LIMIT", "READ_ONLY", "TRUSTED_PROXIES"),
)


def _services() -> dict[str, type[Settings]]:
    from admin.config import AdminSettings
    from client.config import ClientSettings
    from tasks.config import BrokerSettings
    from web.limits import LimitSettings
    from web.metrics import MetricsSettings
    from web.settings import WebSettings

    return {
        "admin": AdminSettings,
        "client": ClientSettings,
        "web": WebSettings,
        "limits": LimitSettings,
        "broker": BrokerSettings,
        "metrics": MetricsSettings,
    }


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@click.argument("services", nargs=-1, type=click.Choice(["admin", "client", "web", "limits", "broker", "metrics"]))
def check(services: tuple[str, ...]) -> None:
    """Print every setting of SERVICES (default: all) with its source, and what is wrong with it."""
    known, problems = _services(), []
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
    known = {field.upper() for cls in _services().values() for field in cls.model_fields}
    known |= {f"{name}_FILE" for name in known}
    given = os.environ.keys() | dotenv_values(".env").keys()
    return sorted(name for name in given if name.startswith(_PREFIXES) and name not in known)


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
