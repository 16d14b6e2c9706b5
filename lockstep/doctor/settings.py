"""The settings of this host: what each is, where it comes from, and which are wrong. Secrets are masked."""

import os
import re
from collections.abc import Iterable, Iterator
from importlib import import_module

from pydantic import SecretStr

from lockstep.doctor.findings import Finding, ok, wrong_setting
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
SERVICES = ("admin", "client")
SHARED = tuple(name for name in _CLASSES if name not in SERVICES)

_OF_OTHERS = {"CELERY_", "FLOWER_", "OTEL_"}  # Celery, Flower and OpenTelemetry read many more


def settings_classes() -> dict[str, type[Settings]]:
    """Return every class of settings by its short name."""
    found = {}
    for name, target in _CLASSES.items():
        module, _, class_name = target.partition(":")
        found[name] = getattr(import_module(module), class_name)
    return found


def check_settings(names: Iterable[str], valid: dict[str, Settings]) -> Iterator[Finding]:
    """Check the settings classes called ``names``, and put the valid ones into ``valid``.

    Yields one finding for each setting that has a value of its own or is wrong, and for each unknown name.
    """
    classes = settings_classes()
    for name in names:
        try:
            valid[name] = classes[name]()
        except SettingsError as error:
            yield from (_wrong(name, line) for line in str(error).splitlines())
        else:
            yield from _values(name, valid[name])
    for unknown in unknown_settings():
        yield wrong_setting("settings", f"{unknown} is not a setting", "Correct its name, or remove it.")


def given_names() -> set[str]:
    """Return every name that has a value in the environment or in ``.env``."""
    return os.environ.keys() | read_dotenv().keys()


def unknown_settings() -> list[str]:
    """Return the given names that start like a setting but are none: typos."""
    known = {field.upper() for cls in settings_classes().values() for field in cls.model_fields}
    known |= {f"{name}_FILE" for name in known}
    ours = tuple({name.partition("_")[0] + "_" for name in known} - _OF_OTHERS)
    return sorted(name for name in given_names() if name.startswith(ours) and name not in known)


def _values(name: str, settings: Settings) -> Iterator[Finding]:
    check, defaults = f"settings of {name}", True
    for field in type(settings).model_fields:
        if source := _source(field.upper()):
            value = getattr(settings, field)
            shown = "********" if isinstance(value, SecretStr) else value
            yield ok(check, f"{field.upper()} = {shown} (from {source})")
            defaults = False
    if defaults:
        yield ok(check, "all at their defaults")


def _wrong(name: str, problem: str) -> Finding:
    setting = re.match(r"[A-Z0-9_]+", problem)
    source = _source(setting.group()) if setting else None
    fix = "Set it in the environment, in .env, or as NAME_FILE. .env.example describes each setting."
    return wrong_setting(f"settings of {name}", f"{problem} (from {source})" if source else problem, fix)


def _source(name: str) -> str | None:
    """Return where a setting's value comes from, None where it has its default."""
    if name in os.environ:
        return "the environment"
    if f"{name}_FILE" in os.environ:
        return os.environ[f"{name}_FILE"]
    return ".env" if name in read_dotenv() else None
