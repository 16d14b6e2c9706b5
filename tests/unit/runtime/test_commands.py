"""Lazy commands, and expected failures as one line."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from pymongo.errors import ServerSelectionTimeoutError

from client.admin_gateway import AdminUnavailableError
from runtime.cli.commands import LazyCommand
from runtime.settings import SettingsError


@click.command()
@click.argument("kind")
def fail(kind: str) -> None:
    """Fail in one of the expected ways."""
    raise {
        "settings": SettingsError("X is not set"),
        "store": ServerSelectionTimeoutError("no server"),
        "admin": AdminUnavailableError("Admin does not answer"),
        "ctrl-c": KeyboardInterrupt(),
        "bug": ZeroDivisionError("a bug"),
    }[kind]


lazy = LazyCommand("fail", f"{__name__}:fail", "Fail in one of the ways.")


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("settings", 2, "Settings:\nX is not set\n"),
        ("store", 4, "The database does not answer: no server\n"),
        ("admin", 4, "Admin does not answer\n"),
        ("ctrl-c", 130, "interrupted\n"),
    ],
)
def test_expected_failure_is_one_line_on_stderr_with_its_exit_code(kind: str, code: int, told: str) -> None:
    result = CliRunner().invoke(lazy, [kind])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", told)


def test_unexpected_error_is_raised() -> None:
    assert isinstance(CliRunner().invoke(lazy, ["bug"]).exception, ZeroDivisionError)


def test_lazy_command_has_the_usage_and_help_of_its_target() -> None:
    assert "Missing argument 'KIND'" in CliRunner().invoke(lazy, []).stderr
    assert "Fail in one of the expected ways" in CliRunner().invoke(lazy, ["--help"]).stdout


def test_celery_loads_our_commands_without_either_service() -> None:
    script = (
        "import sys, celery.bin.celery as cli; assert {'resync'} <= set(cli.celery.commands);"
        "sys.exit(' '.join({'admin', 'client', 'flask', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
