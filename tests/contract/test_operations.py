"""Documents checked against the code: runbooks of alerts, names and links."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from celery.app.control import Inspect

from contract import names
from tests.contract.compose_check import ROOT, check_celery, check_lockstep
from tools.faults.__main__ import APART, under_load

OPERATIONS = ROOT / "docs" / "operations.md"
AT_THE_ROOT = tuple(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"))
WITH_COMMANDS = {
    "operations.md",
    "backup.md",
    "commands.md",
    "import.md",
    "accounts.md",
    "architecture.md",
    "SECURITY.md",
}
DOCUMENTS = (*AT_THE_ROOT, *sorted((ROOT / "docs").rglob("*.md")))
PRESENT = tuple(path for path in DOCUMENTS if path.name != "CHANGELOG.md")  # which also names old commands
ALERTS = [rule for group in yaml.safe_load((ROOT / "ops/alerts.yml").read_text())["groups"] for rule in group["rules"]]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("alert", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_alert_has_a_runbook_and_a_test(alert: dict[str, dict[str, str]]) -> None:
    path, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert anchor == str(alert["alert"]).lower()
    assert anchor in anchors((ROOT / path).read_text())
    tests = yaml.safe_load((ROOT / "ops/alerts_test.yml").read_text())["tests"]
    assert str(alert["alert"]) in {rule["alertname"] for test in tests for rule in test["alert_rule_test"]}


def broken_links(document: Path, text: str) -> list[str]:
    """Return the links of ``text`` to missing files or headings of the repository."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if ":" in path:  # another host
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    """Links as on GitHub; scripts/lint checks those of the site, which has generated headings."""
    broken = [link for link in broken_links(document, document.read_text()) if "commands.md#lockstep" not in link]
    assert broken == []


@pytest.mark.parametrize("link", ["docs/nowhere.md", "docs/operations.md#nowhere", "#nowhere", "LICENCE"])
def test_broken_link_is_found(link: str) -> None:
    assert broken_links(ROOT / "README.md", f"[somewhere]({link}) [there](LICENSE) [it](https://a.example/b#c)") == [
        link
    ]


def test_metrics_of_the_alerts_are_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs/reference/metrics.md").read_text()))
    used = {
        name.removesuffix("_count").removesuffix("_bucket")
        for alert in ALERTS
        for name in re.findall(r"\b([a-z]+_[a-z_]+)\b(?=[{\[ ]|$)", str(alert["expr"]))
    }
    assert len(used) > 10
    assert used <= documented


def test_rows_of_the_fault_table_name_trials_that_exist() -> None:
    tried = {*under_load(), *APART}
    table = OPERATIONS.read_text().partition("| fault | what you see")[2].partition("## Differences")[0]
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
    """Return the error of a command, None where it is valid."""
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
        return None if "does not exist" in str(error) else str(error)  # a file of the reader
    except (click.ClickException, ImportError, LookupError, ValueError) as error:
        return str(error)
    return None


def _check_what_is_called(words: list[str]) -> None:
    known = {value for value in vars(names).values() if isinstance(value, str)}
    if words[0] == "call" and words[1] not in known:
        raise LookupError(f"no task {words[1]}")
    if words[0] == "inspect" and not hasattr(Inspect, words[1]):
        raise LookupError(f"no inspection {words[1]}")


@pytest.mark.parametrize("document", PRESENT, ids=[str(path.relative_to(ROOT)) for path in PRESENT])
def test_commands_of_the_documents_exist(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # has the files that commands name
    wrong = {line: fault for line in commands_of(document.read_text()) if (fault := refused(line))}
    assert wrong == {}
    assert document.name not in WITH_COMMANDS or commands_of(document.read_text())


@pytest.mark.parametrize(
    "line",
    [
        "lockstep sync stat",
        "lockstep sync resync --stuk",
        "lockstep health relay --heart x",
        "celery -A tasks inspect pong",
        "celery -A tasks call tasks.resync_produkt --args '[42]'",
        "lockstep dead-letters lst",
        "celery -A tasks worker --without-mangle",
    ],
)
def test_unknown_command_is_found(line: str) -> None:
    assert refused(line)
