"""``lockstep doctor``: is everything set up as it must be, and if not, what is wrong and what to do."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from lockstep.config_check import given_names
from lockstep.doctor.findings import FAILED, OK, WARNING, Finding, nothing_left_unsaid
from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, EXIT_USAGE
from runtime.cli.terminal import json_option
from runtime.settings import Settings

SERVICES = ("admin", "client")
_SHOWN = {OK: "ok     ", WARNING: "WARNING", FAILED: "FAILED "}
_WORST_FIRST = (EXIT_USAGE, EXIT_DEPENDENCY_DOWN, EXIT_FAILED)


@click.command()
@click.argument("services", nargs=-1, type=click.Choice(SERVICES))
@json_option
def doctor(services: tuple[str, ...], as_json: bool) -> None:
    """Check the set-up of SERVICES on this host (default: those that have settings here), and say how to repair it.

    Looks at settings, secret files, disks, both stores, their versions, clocks and migrations, the broker and its
    queues, the other service and its keys, and whether relay, beat and workers are at work. Changes nothing.

    Exits 0 when all is well, 2 when a setting is wrong, 4 when something does not answer, 1 for anything else.

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
        click.echo(json.dumps({"well": not bad, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        click.echo(f"{len(bad)} to repair." if bad else "All is well.")
    if bad:
        codes = {finding.exit_code for finding in bad}
        raise click.exceptions.Exit(next(code for code in _WORST_FIRST if code in codes))


def examine(services: Iterable[str]) -> Iterator[Finding]:
    """Make every check for ``services``; yields each finding as soon as it is known."""
    from lockstep.doctor import host

    given: dict[str, Settings] = {}
    names = [*services, "web", "limits", "broker", "metrics", "logs", "tracing"]
    admin_url: str | None = None
    yield from host.python()
    yield from host.settings(names, given)
    if "admin" in given:
        admin_url = given["admin"].admin_database_url.get_secret_value()  # type: ignore[attr-defined]
    for check, look in _looks(given, admin_url):
        unexpected: list[Finding] = []
        with nothing_left_unsaid(unexpected, check):
            yield from (finding.masked() for finding in look())
        yield from (finding.masked() for finding in unexpected)


def _looks(given: dict[str, Any], admin_url: str | None) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Yield what can be looked at with the settings that are ``given``. Imported here: a host may have one service."""
    from lockstep.doctor import host, other_service

    yield "secret files", host.secret_files
    yield "disk", lambda: host.disks(admin_url)
    if admin := given.get("admin"):
        from lockstep.doctor import admin_checks

        yield "admin database", lambda: admin_checks.database(admin)
        yield "client service", lambda: other_service.ping("client", admin.admin_client_url, admin.service_keys)
    if client := given.get("client"):
        from lockstep.doctor import client_checks

        yield "client store", lambda: client_checks.store(client)
        yield "admin service", lambda: other_service.ping("admin", client.client_admin_url, client.service_keys)
    if "broker" in given:
        from lockstep.doctor import broker

        yield "broker", broker.broker


def _configured() -> list[str]:
    names = given_names()
    found = [service for service in SERVICES if any(name.startswith(f"{service.upper()}_") for name in names)]
    return found or list(SERVICES)


def _show(finding: Finding) -> None:
    click.echo(f"{_SHOWN[finding.state]} {finding.check}: {finding.what}")
    if finding.state != OK:
        click.echo(f"        → {finding.cure}")
