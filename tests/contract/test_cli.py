"""Every command: its help, its completion, and its errors, which are one line and an exit code."""

import os
import re
import subprocess
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from lockstep import celery_commands
from lockstep.main import cli as lockstep_cli
from runtime.cli.commands import LazyCommand
from tests.contract.test_operations import refused
from tests.unit.admin.catalogue import KEYS, SECRET

ROOTS = {
    "lockstep": lockstep_cli,
    "celery -A tasks resync": celery_commands.resync,
}
UNREACHABLE = "127.0.0.1:1"


def walk(path: str, command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, click.Context]]:
    """Yield ``command`` and every command below it, as contexts."""
    context = command.make_context(path.rpartition(" ")[2], [], parent=parent, resilient_parsing=True)
    yield path, context
    if isinstance(context.command, click.Group):
        for name, inner in context.command.commands.items():
            yield from walk(f"{path} {name}", inner, context)


COMMANDS = dict(found for path, root in ROOTS.items() for found in walk(path, root))
LEAVES = [path for path, context in COMMANDS.items() if not isinstance(context.command, click.Group)]


def help_of(path: str) -> str:
    return cleandoc(COMMANDS[path].command.help or "")


@pytest.mark.parametrize("path", COMMANDS)
def test_help_begins_with_a_sentence_and_explains_every_option(path: str) -> None:
    command, text = COMMANDS[path].command, help_of(path)
    assert re.match(r"[A-Z].*?[.:]( |$)", text.replace("\n", " "))
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []
    arguments = [argument for argument in command.params if isinstance(argument, click.Argument)]
    names = [argument.human_readable_name.strip("[].") for argument in arguments]
    assert [name for name in names if name not in text.partition("\b")[0]] == []


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in LEAVES])
def test_list_of_commands_cuts_no_line_off(path: str) -> None:
    context = COMMANDS[path]
    assert isinstance(context.command, click.Group)
    for name, command in context.command.commands.items():
        line = command.get_short_help_str(limit=70 - len(name))
        assert line, name
        assert not line.endswith("..."), line


@pytest.mark.parametrize("path", LEAVES)
def test_help_has_valid_examples(path: str) -> None:
    examples = re.findall(r"^ {2}((?:lockstep|celery -A tasks) .*)", help_of(path), re.MULTILINE)
    name = path.rpartition(" ")[2]
    assert [line for line in examples if name in line]
    assert [line for line in examples if refused(line)] == []


@pytest.mark.parametrize("path", [path for path in COMMANDS if isinstance(COMMANDS[path].command, click.Group)])
def test_unknown_command_is_answered_with_a_hint(path: str) -> None:
    group = COMMANDS[path].command
    assert isinstance(group, click.Group)
    name = next(iter(group.commands))
    done = CliRunner().invoke(group, [f"{name}x"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Did you mean '{name}'" in done.stderr or "Did you mean one of" in done.stderr
    done = CliRunner().invoke(group, ["--helq"])
    assert done.exit_code == 2
    assert "--help" in done.stderr


def test_short_help_of_lazy_commands_is_a_sentence() -> None:
    lazy = [command for command in lockstep_cli.commands.values() if isinstance(command, LazyCommand)]
    assert len(lazy) >= 10
    assert all(re.fullmatch(r"[A-Z].*\.", command.get_short_help_str()) for command in lazy)


@pytest.mark.parametrize(
    ("typed", "incomplete", "offered"),
    [
        ([], "s", {"shopper", "staff", "sync"}),
        (["sync"], "re", {"recover", "resync"}),
        (["sync", "diff"], "--re", {"--repair"}),
        (["staff", "add", "me@example.com", "--role"], "", {"viewer", "editor", "owner"}),
        (["staff", "keys"], "", {"add", "list", "revoke"}),
        (["migrate"], "", {"admin", "client"}),
    ],
)
def test_shell_completes_commands_options_and_choices(typed: list[str], incomplete: str, offered: set[str]) -> None:
    shell = ShellComplete(lockstep_cli, {}, "lockstep", "_LOCKSTEP_COMPLETE")
    assert {item.value for item in shell.get_completions(typed, incomplete)} == offered


def test_completion_of_the_documents_works_in_bash() -> None:
    script = """
        eval "$(_LOCKSTEP_COMPLETE=bash_source lockstep)"
        COMP_WORDS=(lockstep sy) COMP_CWORD=1
        $(complete -p lockstep | sed 's/.*-F \\([^ ]*\\).*/\\1/') lockstep
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("sync", "")


# Commands that need nothing but settings to begin, by what each of them asks first.
ASKS_ADMIN_S_DATABASE = (
    "export -",
    "sync status --json",
    "sync diff --json",
    "sync resync --all --json",
)
ASKS_ADMIN_S_DATABASE += ("staff list --json", "staff keys list --json", "staff remove me@example.com", "import FILE")
ASKS_THE_STORE = ("likes status --json", "likes diff --json", "likes retry", "shopper erase me@example.com")
ASKS_THE_STORE += ("migrate client",)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set settings with which no server answers, and create a file to import."""
    settings = {
        "ADMIN_DATABASE_URL": f"mysql+pymysql://lockstep:hunter22@{UNREACHABLE}/lockstep",
        "ADMIN_SECRET_KEY": SECRET,
        "ADMIN_CLIENT_URL": f"http://{UNREACHABLE}",
        "CLIENT_MONGODB_URL": f"mongodb://lockstep:hunter22@{UNREACHABLE}/lockstep",
        "CLIENT_SECRET_KEY": SECRET,
        "CLIENT_ADMIN_URL": f"http://{UNREACHABLE}",
        "SERVICE_KEYS": KEYS,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "mugs.csv"
    file.write_text("sku,title,price,currency,category\nMUG,Mug,2.50,EUR,Kitchen\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("line", [*ASKS_ADMIN_S_DATABASE, "migrate admin"])
def test_database_that_does_not_answer_is_one_line_and_exit_code_4(line: str, unreachable: Path) -> None:
    done = CliRunner().invoke(lockstep_cli, line.replace("FILE", str(unreachable)).split())
    assert (done.exit_code, done.stdout) == (4, ""), done.output
    assert done.stderr.startswith("The database does not answer: ")
    assert "hunter22" not in done.stderr


@pytest.mark.parametrize("line", ASKS_ADMIN_S_DATABASE)
def test_database_without_migrations_is_one_line_with_its_fix(
    line: str, unreachable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    done = CliRunner().invoke(lockstep_cli, line.replace("FILE", str(unreachable)).split())
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert done.stderr.endswith("Run 'lockstep migrate admin'.\n")


@pytest.mark.usefixtures("unreachable")
def test_store_that_does_not_answer_is_one_line_and_exit_code_4() -> None:
    done = CliRunner().invoke(lockstep_cli, ["likes", "status", "--json"])
    assert (done.exit_code, done.stdout) == (4, ""), done.output
    assert done.stderr.startswith("The database does not answer: ")
    assert "hunter22" not in done.stderr


@pytest.mark.parametrize("line", [*ASKS_ADMIN_S_DATABASE, *ASKS_THE_STORE, "relay", "migrate admin"])
def test_missing_settings_are_reported_with_exit_code_2(
    line: str, unreachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("ADMIN_", "CLIENT_"))]:
        monkeypatch.delenv(name)
    done = CliRunner().invoke(lockstep_cli, line.replace("FILE", str(unreachable)).split())
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert "is not set; see .env.example" in done.stderr


TOO_LARGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"lockstep sync resync {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        ("lockstep sync resync 0", "0 is not in the range"),
        (f"lockstep sync resync --to {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"celery -A tasks resync {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"lockstep sync diff {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"lockstep sync diff -- -{TOO_LARGE}", f"-{TOO_LARGE} is not in the range"),
        (f"lockstep sync diff --from {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"lockstep dead-letters list --product {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"lockstep dead-letters list --limit {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        (f"lockstep dead-letters discard --all --yes --product {TOO_LARGE}", f"{TOO_LARGE} is not in the range"),
        ("lockstep sync diff --from 9 --to 3", "--from 9 is above --to 3"),
        ("lockstep sync diff --from 9 --to 3 --repair", "--from 9 is above --to 3"),
        ("lockstep sync resync --from 10 --to 1", "--from 10 is above --to 1"),
        ("celery -A tasks resync --from 10 --to 1", "--from 10 is above --to 1"),
        (
            "lockstep sync resync --changed-since 2026-11-02 --changed-until 2026-11-01",
            "--changed-since 2026-11-02 00:00:00 is above --changed-until 2026-11-01 00:00:00",
        ),
    ],
)
@pytest.mark.usefixtures("unreachable")
def test_impossible_id_or_range_is_a_usage_error_before_any_connection(line: str, said: str) -> None:
    root = next(root for root in ROOTS if line.startswith(root))
    done = CliRunner().invoke(ROOTS[root], line.removeprefix(root).split())
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert said in done.stderr.splitlines()[-1]
