"""``lockstep shopper``: accounts of shoppers."""

import click

from client import store
from client.accounts import erasure
from client.accounts import service as accounts
from client.config import ClientSettings
from runtime.cli.terminal import read_password
from web.security.passwords import WeakPasswordError


@click.group()
def shopper() -> None:
    """Manage shoppers' accounts."""


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
        click.echo(f"{email} can sign in.", err=True)


@shopper.command("passwd")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def shopper_passwd(email: str, password_stdin: bool) -> None:
    """Set the password of EMAIL's account and end its sign-ins.

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
        raise click.ClickException(f"There is no account {email}.")
    click.echo(f"The password of {email} was changed.", err=True)


@shopper.command("erase")
@click.argument("email")
def shopper_erase(email: str) -> None:
    """Erase the account EMAIL. Its likes are taken back, here and at Admin.

    \b
    Example:
      lockstep shopper erase someone@example.com
    """
    store.connect(ClientSettings())
    if erasure.erase_email(email):
        click.echo(f"{email} is erased; the likes taken back are forwarded to Admin in a few seconds.", err=True)
    else:
        click.echo(f"There is no account {email}.", err=True)
