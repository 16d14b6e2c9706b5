"""What both services' commands ask a person for."""

import sys

import click

from web import passwords


def read_password(from_stdin: bool) -> str:
    """Return a password of acceptable length from standard input or a prompt. Raises click.UsageError."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        raise click.UsageError(f"A password has {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters.")
    return str(password)
