"""``lockstep staff``: staff accounts and API keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from admin.accounts import keys, roster, service
from admin.accounts.models import EDITOR, ROLES
from admin.core import create_core
from admin.rest.owners import ApiKeySchema
from runtime.cli.terminal import json_option, read_password
from web.http.problems import ProblemError
from web.security.passwords import WeakPasswordError

BY = service.CLI


@contextmanager
def _admin() -> Iterator[None]:
    """Enter Admin's context; turn its errors into one line, with exit code 2 for a weak password."""
    with create_core().app_context():
        try:
            yield
        except WeakPasswordError as error:
            raise click.UsageError(error.detail) from None
        except ProblemError as error:
            raise click.ClickException(error.detail) from None


_password = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)


@click.group()
def staff() -> None:
    """Manage staff accounts and API keys.

    Viewers read everything; editors also change the catalogue; owners also manage staff and keys.
    """


@staff.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default=EDITOR, show_default=True, help="What the account may do.")
@_password
def staff_add(email: str, role: str, password_stdin: bool) -> None:
    """Create an account for EMAIL. An existing one is not changed.

    \b
    Examples:
      lockstep staff add someone@example.com --role editor
      lockstep staff add someone@example.com --password-stdin < password.txt
    """
    password = read_password(password_stdin)
    with _admin():
        try:
            service.add_staff(email, password, role)
        except service.AccountExistsError as error:
            click.echo(error.detail, err=True)
        else:
            click.echo(f"{email} can sign in as {role}.", err=True)


@staff.command("list")
@json_option
def staff_list(as_json: bool) -> None:
    """Print every account with its role.

    \b
    Examples:
      lockstep staff list
      lockstep staff list --json | jq '.[] | select(.role == "owner") | .email'
    """
    with _admin():
        found = roster.all_staff()
        if as_json:
            shown = [{"email": a.email, "role": a.role, "disabled": a.disabled_at is not None} for a in found]
            click.echo(json.dumps(shown, indent=2))
            return
        for account in found:
            click.echo(f"{account.role:7}{account.email}{'  (disabled)' if account.disabled_at else ''}")


@staff.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def staff_role(email: str, role: str) -> None:
    """Set the ROLE of EMAIL's account and end its sign-ins.

    \b
    Example:
      lockstep staff role someone@example.com owner
    """
    with _admin():
        roster.change(roster.id_of(email), BY, role=role)
    click.echo(f"{email} is {role}.", err=True)


@staff.command("passwd")
@click.argument("email")
@_password
def staff_passwd(email: str, password_stdin: bool) -> None:
    """Set the password of EMAIL's account and end its sign-ins.

    \b
    Example:
      lockstep staff passwd someone@example.com
    """
    password = read_password(password_stdin)
    with _admin():
        roster.change(roster.id_of(email), BY, password=password)
    click.echo(f"The password of {email} is changed.", err=True)


@staff.command("disable")
@click.argument("email")
def staff_disable(email: str) -> None:
    """Disable EMAIL's account and end its sign-ins.

    \b
    Example:
      lockstep staff disable someone@example.com
    """
    with _admin():
        roster.change(roster.id_of(email), BY, disabled=True)
    click.echo(f"{email} is disabled.", err=True)


@staff.command("enable")
@click.argument("email")
def staff_enable(email: str) -> None:
    """Enable EMAIL's account again.

    \b
    Example:
      lockstep staff enable someone@example.com
    """
    with _admin():
        roster.change(roster.id_of(email), BY, disabled=False)
    click.echo(f"{email} is enabled.", err=True)


@staff.command("remove")
@click.argument("email")
def staff_remove(email: str) -> None:
    """Delete EMAIL's account. Its name stays in the history of products.

    \b
    Example:
      lockstep staff remove someone@example.com
    """
    with _admin():
        roster.remove(roster.id_of(email), BY)
    click.echo(f"{email} is removed.", err=True)


@staff.group("keys")
def staff_keys() -> None:
    """Manage API keys for programs."""


@staff_keys.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=EDITOR, show_default=True, help="What the key may do.")
@click.option(
    "--days", type=click.IntRange(1, 3650), help="Days until the key expires. Without it, the key never expires."
)
def keys_add(name: str, role: str, days: int | None) -> None:
    """Create a key called NAME, and print it once. A program sends it as a bearer token.

    \b
    Example:
      lockstep staff keys add "warehouse import" --role editor --days 365
    """
    with _admin():
        _key, secret = keys.make(name, role, days, BY)
    click.echo(secret)


@staff_keys.command("list")
@json_option
def keys_list(as_json: bool) -> None:
    """Print every key: its beginning, role, last use and name.

    \b
    Examples:
      lockstep staff keys list
      lockstep staff keys list --json | jq '.[] | select(.last_used_at == null) | .name'
    """
    with _admin():
        found = keys.all_keys()
        if as_json:
            click.echo(json.dumps(ApiKeySchema(many=True).dump(found), indent=2))
            return
        for key in found:
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            ends = f"  (until {key.expires_at:%Y-%m-%d})" if key.expires_at else ""
            click.echo(f"{key.prefix}  {key.role:7}{used:18}{key.name}{ends}")


@staff_keys.command("revoke")
@click.argument("name")
def keys_revoke(name: str) -> None:
    """Revoke the key called NAME.

    \b
    Example:
      lockstep staff keys revoke "warehouse import"
    """
    with _admin():
        keys.revoke_named(name, BY)
    click.echo(f"The key {name} is revoked.", err=True)
