"""What both services' commands ask a person for."""

import sys

import click


def read_password(from_stdin: bool) -> str:
    """Return a password from standard input or a prompt."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return str(password)
