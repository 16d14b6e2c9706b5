"""docs/operations.md and the README against alerts and commands: each alert has its runbook, each command exists."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from celery.app.control import Inspect

from faults.__main__ import APART, under_load
from tasks import names
from tests.contract.compose_check import ROOT, check_celery, check_lockstep

OPERATIONS = ROOT / "docs" / "operations.md"
DOCUMENTS = (OPERATIONS, ROOT / "README.md", ROOT / "docs" / "architecture.md", ROOT / "SECURITY.md")
ALERTS = [rule for group in yaml.safe_load((ROOT / "ops/alerts.yml").read_text())["groups"] for rule in group["rules"]]


def anchors(text: str) -> set[str]:
    """Return what a link may lead to, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("alert", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_alert_has_a_runbook_and_a_test(alert: dict[str, dict[str, str]]) -> None:
    path, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert anchor == str(alert["alert"]).lower()
    assert anchor in anchors((ROOT / path).read_text())
    tests = yaml.safe_load((ROOT / "ops/alerts_test.yml").read_text())["tests"]
    assert str(alert["alert"]) in {rule["alertname"] for test in tests for rule in test["alert_rule_test"]}


def test_links_within_the_document_lead_somewhere() -> None:
    text = OPERATIONS.read_text()
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= anchors(text)


def test_rows_of_the_fault_table_name_trials_that_exist() -> None:
    tried = {*under_load(), *APART}
    table = OPERATIONS.read_text().partition("| fault | what you see")[2].partition("## Capacity")[0]
    rows = [line for line in table.splitlines()[2:] if line.startswith("|")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row.rsplit("|", 2)[-2])]
    assert len(named) > 20
    missing = [name for name in named if not any(name in row for row in tried) and not (ROOT / name).exists()]
    assert missing == []


def commands_of(text: str) -> list[str]:
    """Return the lockstep and celery commands of a document, in blocks and within lines."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines += [" ".join(code.split()) for code in re.findall(r"`((?:lockstep|celery -A)\s[^`]+)`", prose)]
    found = [re.search(r"\b(?:(?<!/)(?<!_source )lockstep |celery -A tasks ).*", line) for line in lines]
    return [match[0] for match in found if match and "lockstep:" not in match[0]]


def refused(line: str) -> str | None:
    """Return what is wrong with a command, None when it could be typed."""
    words = shlex.split(re.split(r"\s\d?[<>|]\s|\s&&\s", line)[0], comments=True)
    try:
        if words[0] == "lockstep":
            check_lockstep([word.replace("[--repair]", "--repair") for word in words[1:]])
        else:
            check_celery(words[1:])
            _check_what_is_called(words[3:])
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):  # named in a sentence, without its arguments
        return None
    except click.exceptions.Exit:  # --help
        return None
    except click.BadParameter as error:
        return None if "does not exist" in str(error) else str(error)  # a file of the reader's
    except (click.ClickException, ImportError, LookupError, ValueError) as error:
        return str(error)
    return None


def _check_what_is_called(words: list[str]) -> None:
    known = {value for value in vars(names).values() if isinstance(value, str)}
    if words[0] == "call" and words[1] not in known:
        raise LookupError(f"no task {words[1]}")
    if words[0] == "inspect" and not hasattr(Inspect, words[1]):
        raise LookupError(f"no inspection {words[1]}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_commands_of_the_documents_exist(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # the README's files are there
    wrong = {line: fault for line in commands_of(document.read_text()) if (fault := refused(line))}
    assert wrong == {}
    assert document.name == "SECURITY.md" or len(commands_of(document.read_text())) >= 5


@pytest.mark.parametrize(
    "line",
    [
        "lockstep sync stat",
        "lockstep sync replay --stuk",
        "lockstep health relay --heart x",
        "celery -A tasks inspect pong",
        "celery -A tasks call tasks.resync_produkt --args '[42]'",
        "celery -A tasks dead lst",
        "celery -A tasks worker --without-mangle",
    ],
)
def test_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert refused(line)
