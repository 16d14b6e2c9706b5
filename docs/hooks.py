"""MkDocs hooks: fill in what the code knows, and give the site the documents at the root of the repository."""

import re
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from lockstep import celery_commands
from lockstep.main import cli as lockstep_cli
from runtime.cli.commands import LazyCommand
from tools import settings_reference

DOCS = Path(__file__).parent
AT_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Import the commands that the command lines import on use, so that mkdocs-click sees their options."""
    groups = {**vars(celery_commands), **lockstep_cli.commands}
    for name, command in groups.items():
        if isinstance(command, LazyCommand):
            loaded = command.load()
            _examples_as_code(loaded)
            if name in lockstep_cli.commands:
                lockstep_cli.commands[name] = loaded
            else:
                setattr(celery_commands, name, loaded)
    _examples_as_code(lockstep_cli)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents at the root; their links into ``docs/`` start one folder lower here."""
    for name in AT_THE_ROOT:
        text = (DOCS.parent / name).read_text(encoding="utf-8").replace("](docs/decisions/)", "](decisions/index.md)")
        files.append(File.generated(config, name, content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Insert the settings and the list of decisions; lead links to documents at the root to their copies here."""
    markdown = markdown.replace("<!-- settings -->", settings_reference.tables(), 1)
    markdown = markdown.replace("<!-- decisions -->", _decisions(), 1)
    markdown = markdown.replace("](decisions/)", "](decisions/index.md)")
    names = "|".join(map(re.escape, AT_THE_ROOT))
    markdown = re.sub(rf"\]\(\.\./((?:\.\./)*(?:{names}))", r"](\1", markdown)
    return re.sub(r"\[([^\]]+)\]\((?:\.\./)+\.env\.example\)", r"`\1`", markdown)


def _examples_as_code(command: click.Command) -> None:
    """Turn click's blocks of examples, here and in all sub-commands, into Markdown's."""
    command.help = re.sub(r"\x08\n\s*(Examples?):\n((?:\s+\S.*\n?)+)", _fenced, command.help or "")
    for inner in getattr(command, "commands", {}).values():
        if not isinstance(inner, LazyCommand):
            _examples_as_code(inner)


def _fenced(found: re.Match[str]) -> str:
    lines = [line.strip() for line in found[2].strip().splitlines()]
    return "\n".join([f"{found[1]}:", "", "```sh", *lines, "```", ""])


def _decisions() -> str:
    titles = {path.name: path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for path in _records()}
    return "\n".join(f"- [{title}]({name})" for name, title in titles.items())


def _records() -> list[Path]:
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))
