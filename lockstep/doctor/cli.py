"""``lockstep doctor``: check settings, servers and processes, and say how to fix what is wrong."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from lockstep.doctor.findings import FAILED, OK, SKIPPED, WARNING, Finding, skipped, unexpected_errors
from lockstep.doctor.settings import SERVICES, SHARED, check_settings, given_names
from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, EXIT_USAGE
from runtime.cli.terminal import json_option
from runtime.settings import Settings

_SHOWN = {OK: "ok     ", WARNING: "WARNING", FAILED: "FAILED ", SKIPPED: "skipped"}
_WORST_FIRST = (EXIT_USAGE, EXIT_DEPENDENCY_DOWN, EXIT_FAILED)


@click.command()
@click.argument("services", nargs=-1, type=click.Choice(SERVICES))
@json_option
def doctor(services: tuple[str, ...], as_json: bool) -> None:
    """Check the set-up, and say how to fix it.

    Checks SERVICES, admin or client; by default those that have settings on this host. Settings come first: each is
    printed with its source, secrets masked. Then: secret files, disks, both stores with their versions, clocks and
    migrations, the broker and its queues, the other service and its keys, and whether relay, beat and workers run.
    Checks that need a wrong setting are skipped. Changes nothing.

    Exits 0 when nothing is wrong, 2 when a setting is wrong, 4 when something does not answer, 1 otherwise.

    \b
    Examples:
      lockstep doctor
      lockstep doctor admin
      lockstep doctor --json | jq '.findings[] | select(.state != "ok")'
    """
    found: list[Finding] = []
    for finding in examine(services or _configured()):
        found.append(finding)
        if not as_json:
            _show(finding)
    bad = [finding for finding in found if finding.state == FAILED]
    if as_json:
        click.echo(json.dumps({"ok": not bad, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        click.echo(f"{len(bad)} to fix." if bad else "Nothing is wrong.")
    if bad:
        codes = {finding.exit_code for finding in bad}
        raise click.exceptions.Exit(next(code for code in _WORST_FIRST if code in codes))


def examine(services: Iterable[str]) -> Iterator[Finding]:
    """Run every check for ``services``; yields each finding as soon as it is known."""
    from lockstep.doctor import host

    names = [*services, *SHARED]
    valid: dict[str, Settings] = {}
    yield from check_settings(names, valid)
    yield from host.python()
    yield from _guarded("secret files", host.secret_files)
    yield from _guarded("disk", lambda: host.disks(_database_url(valid)))
    for check, needed, run in _CHECKS:
        if needed in valid:
            yield from _guarded(check, run, valid[needed])
        elif needed in names:
            yield skipped(check, f"needs the settings of {needed}", "Fix those settings first.")


def _guarded(check: str, run: Callable[..., Iterator[Finding]], *arguments: Any) -> Iterator[Finding]:
    unexpected: list[Finding] = []
    with unexpected_errors(unexpected, check):
        yield from (finding.masked() for finding in run(*arguments))
    yield from (finding.masked() for finding in unexpected)


def _database_url(valid: dict[str, Any]) -> str | None:
    return valid["admin"].admin_database_url.get_secret_value() if "admin" in valid else None


# Each imports what it needs when it runs: a host may have one service.
def _admin_database(settings: Any) -> Iterator[Finding]:
    from lockstep.doctor import admin_checks

    return admin_checks.database(settings)


def _client_service(settings: Any) -> Iterator[Finding]:
    from lockstep.doctor import other_service

    return other_service.ping("client", settings.admin_client_url, settings.service_keys)


def _client_store(settings: Any) -> Iterator[Finding]:
    from lockstep.doctor import client_checks

    return client_checks.store(settings)


def _admin_service(settings: Any) -> Iterator[Finding]:
    from lockstep.doctor import other_service

    return other_service.ping("admin", settings.client_admin_url, settings.service_keys)


def _broker(_settings: Any) -> Iterator[Finding]:
    from lockstep.doctor import broker

    return broker.broker()


# The check, the settings that it needs, and what runs it.
_CHECKS: list[tuple[str, str, Callable[[Any], Iterator[Finding]]]] = [
    ("admin database", "admin", _admin_database),
    ("client service", "admin", _client_service),
    ("client store", "client", _client_store),
    ("admin service", "client", _admin_service),
    ("broker", "broker", _broker),
]


def _configured() -> list[str]:
    names = given_names()
    found = [service for service in SERVICES if any(name.startswith(f"{service.upper()}_") for name in names)]
    return found or list(SERVICES)


def _show(finding: Finding) -> None:
    click.echo(f"{_SHOWN[finding.state]} {finding.check}: {finding.what}")
    if finding.state != OK:
        click.echo(f"        → {finding.fix}")
