"""Output of a comparison, written as differences are found: lines, or JSON for programs."""

import json
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from admin.reconcile.compare import Difference
from admin.reconcile.diff import Fields
from contract.digests import Entry
from contract.messages import DELETED_CHECKSUM
from contract.versions import version_of

_LINE = "{:>10}  {:<9}  {:<20}  {:>12}  {:>12}  {}"


class Report:
    """Writes differences to stdout one by one, so that a million of them need no memory."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._count = as_json, 0
        self.left = 0  # products still out of sync

    def add(self, difference: Difference, repaired: bool | None = None) -> None:
        """Write one difference; ``repaired`` is None when no repair was tried."""
        self._count += 1
        self.left += not repaired
        if self._json:
            click.echo(
                ('{"drift": [\n' if self._count == 1 else ",\n") + json.dumps(_shown(difference, repaired)), nl=False
            )
            return
        if self._count == 1:
            click.echo(_LINE.format("id", "kind", "sku", "Admin", "Client", "why"))
        outcome = {None: "", True: "; repaired", False: "; NOT repaired"}[repaired]
        replica, own = _version(difference.replica), _version(difference.own)
        click.echo(_LINE.format(difference.id, difference.kind, difference.sku, own, replica, difference.why + outcome))

    def end(self, pending: int) -> None:
        """Write the totals: how many differences are pending, and how many products are left out of sync."""
        if self._json:
            click.echo(("\n], " if self._count else '{"drift": [], ') + f'"pending": {pending}, "left": {self.left}}}')
            return
        if pending:
            click.echo(f"{pending} more differ and are pending: no drift", err=True)
        repaired = f"; {self._count - self.left} repaired" if self.left < self._count else ""
        click.echo(f"{self._count} products out of sync{repaired}" if self._count else "in sync", err=True)


def show_fields(found: Fields, as_json: bool) -> None:
    """Print the comparison of one product, field by field."""
    if as_json:
        fields = {f.name: {"admin": f.own, "client": f.replica, "same": f.same} for f in found.fields}
        notes = {"pending": found.pending, "failure": found.failure, "applied_at": found.applied_at}
        click.echo(json.dumps({"same": found.same, "fields": fields, **notes}, indent=2, ensure_ascii=False))
        return
    table = Table("field", "Admin", "Client", "same?", box=box.SIMPLE_HEAD)
    for field in found.fields:
        cells = (_plain(field.own), _plain(field.replica), "yes" if field.same else "NO")
        table.add_row(field.name, *cells, style="" if field.same else "bold red")
    Console().print(table)
    if found.pending:
        click.echo("it is pending", err=True)
    if found.failure:
        click.echo(f"the Client refused it: {found.failure}", err=True)


def _plain(text: str | None) -> Any:
    """Return text in which Rich interprets no markup."""
    return Text("-" if text is None else text)


def _shown(difference: Difference, repaired: bool | None) -> dict[str, Any]:
    shown = {
        "id": difference.id,
        "sku": difference.sku,
        "kind": difference.kind,
        "admin": _entry(difference.own),
        "client": _entry(difference.replica),
        "why": difference.why,
    }
    return shown if repaired is None else {**shown, "repaired": repaired}


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    deleted = entry.checksum == DELETED_CHECKSUM
    return {
        "version": version_of(entry.sequence),
        "sequence": entry.sequence,
        "checksum": entry.checksum,
        "deleted": deleted,
    }


def _version(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    return f"v{version_of(entry.sequence)}" + (" deleted" if entry.checksum == DELETED_CHECKSUM else "")
