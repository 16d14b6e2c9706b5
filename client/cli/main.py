"""The Client's part of the ``lockstep`` command."""

import click

from client import migrations, store
from client.accounts import erasure
from client.accounts import service as accounts
from client.config import ClientSettings
from runtime.cli.terminal import read_password
from web.security.passwords import WeakPasswordError


def migrate_client() -> None:
    """Migrate the Client's database."""
    store.connect(ClientSettings(), answer_seconds=None)  # building an index takes as long as it takes
    done = migrations.migrate(store.database())
    click.echo(f"Client's database: {len(done)} migrations run.", err=True)


@click.group()
def shopper() -> None:
    """Accounts of shoppers."""


@shopper.command("add")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def shopper_add(email: str, password_stdin: bool) -> None:
    """Create an account for EMAIL.

    \b
    Examples:
      lockstep shopper add someone@example.com
      lockstep shopper add someone@example.com --password-stdin < password.txt
    """
    password = read_password(password_stdin)
    store.connect(ClientSettings())
    try:
        accounts.sign_up(email, password)
    except accounts.EmailTakenError as error:
        click.echo(error.detail, err=True)
    except WeakPasswordError as error:
        raise click.UsageError(error.detail) from None
    else:
        click.echo(f"{email} may sign in.", err=True)


@shopper.command("passwd")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def shopper_passwd(email: str, password_stdin: bool) -> None:
    """Give EMAIL's account another password; its sign-ins end.

    \b
    Example:
      lockstep shopper passwd someone@example.com
    """
    password = read_password(password_stdin)
    store.connect(ClientSettings())
    try:
        found = accounts.reset_password(email, password)
    except WeakPasswordError as error:
        raise click.UsageError(error.detail) from None
    if not found:
        raise click.ClickException(f"There is no account of {email}.")
    click.echo(f"The password of {email} is changed.", err=True)


@shopper.command("erase")
@click.argument("email")
def shopper_erase(email: str) -> None:
    """Erase EMAIL's account and take every like back. Both here and at Admin; the sign-in ends.

    \b
    Example:
      lockstep shopper erase someone@example.com
    """
    store.connect(ClientSettings())
    if erasure.erase_email(email):
        click.echo(f"{email} is erased; the next sweep tells Admin.", err=True)
    else:
        click.echo(f"There is no account of {email}.", err=True)
