"""Import and export: every row is imported or reported, an interrupted import resumes, an export can be imported."""

import codecs
import csv
import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from admin.catalogue import service
from admin.catalogue.exporter import export
from admin.catalogue.importer import CHUNK, UnreadableFileError, import_file
from admin.catalogue.messages import content_of
from admin.catalogue.models import CONTENT_FIELDS, ImportProgress, Product
from admin.db.extensions import db
from admin.outbox.models import FRESH, ProductChange, Replication
from contract.names import BULK
from lockstep.main import cli as lockstep_cli
from tests.unit.admin.catalogue import CONTENT, admin_on, dispose, row_counts, set_environment

HEADER = ",".join(CONTENT_FIELDS)


def row(sku: str, **content: str) -> dict[str, str]:
    return {**CONTENT, "sku": sku, **content}


def line(sku: str, price: str = "1.00") -> str:
    return f"{sku},Title of {sku},,{price},EUR,Kitchen,"


def rows(first: int, last: int) -> Iterable[str]:
    return (line(f"SKU-{number:06}") for number in range(first, last + 1))


def csv_text(records: Iterable[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, CONTENT_FIELDS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def ndjson_text(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


class Importer:
    """Imports texts as files, and records the reported errors."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.errors: list[tuple[int, str]] = []

    def __call__(
        self, content: str | bytes, name: str = "catalogue.csv", *, restart: bool = False, author: str = "import"
    ) -> tuple[int, ...]:
        """Return how many rows were created, updated, unchanged, skipped and repeated."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.errors = []
        with self.app.app_context():
            result = import_file(path, author, restart=restart, on_error=self._report)
        return result.created, result.updated, result.unchanged, result.skipped, result.repeated

    def _report(self, line: int, reason: str) -> None:
        self.errors.append((line, reason))

    def held(self) -> dict[str, dict[str, str]]:
        """Every live product by sku, as CONTENT."""
        with self.app.app_context():
            live = db.session.execute(select(Product).where(Product.deleted_at.is_(None))).scalars()
            contents = [content_of(product).encode() for product in live]
        return {c["sku"]: {name: c[name] for name in CONTENT_FIELDS} for c in sorted(contents, key=itemgetter("sku"))}

    def log(self, sku: str) -> list[tuple[str, str]]:
        """Kind and author of each change of ``sku``."""
        with self.app.app_context():
            query = select(ProductChange.kind, ProductChange.author).join(
                Product, Product.id == ProductChange.product_id
            )
            return [(k, a) for k, a in db.session.execute(query.filter(Product.sku == sku).order_by(ProductChange.id))]


@pytest.fixture
def take(app: Flask, tmp_path: Path) -> Importer:
    return Importer(app, tmp_path)


# --- formats ----------------------------------------------------------------------------------------------

ODD = [
    row("ODD-1", title='Quoted "mug", large', description='Two\nlines, one "quote"'),
    row("ODD-2", title="two  spaces", description="a break\nand tab\t."),
    row("ODD-3", title="Émaillé 漢字 🫖", description="=1+1", category="Küche & Bad"),
    row("ODD-4", description="", image_url="", price="0.00"),
    row("ODD-5", description="line\u2028separator", price="9999999999.99"),
]
ENCODERS: dict[str, Callable[[list[dict[str, str]]], str | bytes]] = {
    "a.csv": csv_text,
    "bom.csv": lambda records: "\ufeff" + csv_text(records),
    "lf.csv": lambda records: csv_text(records).replace("\r\n", "\n"),
    "no_last_break.csv": lambda records: csv_text(records).rstrip("\r\n"),
    "a.txt": csv_text,
    "semicolons.csv": lambda records: csv_text(records, ";"),
    "tabs.csv": lambda records: csv_text(records, "\t"),
    "a.ndjson": ndjson_text,
    "a.JSONL": ndjson_text,
    "crlf.ndjson": lambda records: ndjson_text(records).replace("\n", "\r\n"),
    "bom.ndjson": lambda records: "\ufeff" + ndjson_text(records),
    "blank_lines.ndjson": lambda records: "\n" + ndjson_text(records).replace("\n", "\n \n"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_form_of_file_is_read_exactly(take: Importer, name: str) -> None:
    assert take(ENCODERS[name](ODD), name) == (len(ODD), 0, 0, 0, 0)
    assert take.held() == {record["sku"]: record for record in ODD}
    assert take.errors == []


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_spaces_around_texts_and_other_line_ends_are_no_part_of_them(take: Importer, name: str) -> None:
    typed = row("A", title=" Red mug\u00a0", description="Two\r\nlines \n", category="Kitchen\u200b ")
    for came_of_it in ((1, 0, 0, 0, 0), (0, 0, 1, 0, 0)):
        assert take(ENCODERS[name]([typed]), name) == came_of_it
    assert take.held() == {"A": row("A", title="Red mug", description="Two\nlines", category="Kitchen")}


def test_columns_may_come_in_any_order_and_optional_ones_not_at_all(take: Importer) -> None:
    assert take("category,currency,price,title,sku\nKitchen,EUR,1,Mug,A\n") == (1, 0, 0, 0, 0)
    expected = row("A", title="Mug", description="", price="1.00", image_url="")
    assert take.held() == {"A": expected}


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_omitted_column_leaves_products_unchanged(take: Importer, name: str) -> None:
    take(csv_text([row("A")]))
    prices = "sku,title,price,currency,category\nA,Red mug,9,EUR,Kitchen\n"
    short = {k: v for k, v in row("A", price="9").items() if k not in {"description", "image_url"}}
    assert take(prices if name == "a.csv" else ndjson_text([short]), name) == (0, 1, 0, 0, 0)
    assert take.held() == {"A": row("A", price="9.00")}


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("sku,title,description,price,currency,image_url", "lacks 'category'"),
        ("sku", "lacks 'category, currency, price, title'"),
        (f"{HEADER},colour", "has unknown 'colour'"),
        (HEADER.replace("title", "Title"), "lacks 'title'"),
        (f"{HEADER},sku", "repeats 'sku'"),
        (HEADER.replace(",", "|"), "lacks"),
        (f"{HEADER},\x1b[2J", r"has unknown '\x1b[2J'"),
        ('"sku', "has a first line that is not CSV"),
        ("", "is empty"),
        ("\n", "is empty"),
        ('{"sku": "A"}', "lacks"),
    ],
)
def test_file_with_a_wrong_header_is_refused_whole(take: Importer, header: str, named: str) -> None:
    with pytest.raises(UnreadableFileError) as refusal:
        take("" if not header else f"{header}\n{line('A')}\n" if header != '"sku' else header)
    assert named in str(refusal.value)
    assert str(refusal.value).isprintable()
    assert row_counts(take.app) == {"products": 0, "replication": 0, "product_changes": 0}


@pytest.mark.parametrize(
    ("encode", "said"),
    [
        (lambda text: text.encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (lambda text: text.encode("utf-16-be"), "is UTF-16 text; save it as UTF-8"),
        (lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "is UTF-16 text; save it as UTF-8"),
        (lambda text: gzip.compress(text.encode()), "is compressed by gzip; unpack it first"),
        (
            lambda text: b"PK\x03\x04" + text.encode(),
            "is a ZIP archive or a spreadsheet; save the sheet as 'CSV UTF-8'",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_file_of_another_format_is_refused_with_how_to_convert_it(
    take: Importer, encode: Callable[[str], bytes], said: str, name: str
) -> None:
    with pytest.raises(UnreadableFileError, match=f"^{said}"):
        take(encode(csv_text(ODD) if name == "a.csv" else ndjson_text(ODD)), name)


def test_rows_of_commas_alone_are_blank_and_empty_columns_at_the_headers_end_are_ignored(take: Importer) -> None:
    lines = [f"{HEADER},,", f"{line('A')},,", *[",,,,,,,,"] * 300, "", " , ,", line("B"), f"{line('C')},note,"]
    assert take("\n".join(lines)) == (2, 0, 0, 1, 0)
    assert take.errors == [(306, "has a value in a column without a name")]
    with pytest.raises(UnreadableFileError, match="has unknown ''"):
        take(f"sku,,{HEADER.removeprefix('sku,')}\n")


@pytest.mark.parametrize(("content", "name"), [(HEADER, "a.csv"), (f"{HEADER}\r\n", "b.csv"), ("", "a.ndjson")])
def test_file_without_rows_changes_nothing(take: Importer, content: str, name: str) -> None:
    assert take(content, name) == (0, 0, 0, 0, 0)
    assert take.errors == []


# --- bad rows ---------------------------------------------------------------------------------------------


def test_bad_csv_rows_are_reported_with_their_lines_and_their_neighbours_imported(take: Importer) -> None:
    lines = [
        (HEADER, None),
        (line("GOOD-1"), None),
        (line("BAD 1"), "sku: Must be"),
        ('GOOD-2,Title,"Text\nof two\nlines",1,EUR,Kitchen,', None),  # lines 4 to 6
        (line("BAD-2", price="-1"), "price: Must be a decimal"),  # 7
        ("", None),  # a blank line is no row
        ("BAD-3,Title,,1,EUR", "more or fewer fields"),
        (line("BAD-4") + ",", "more or fewer fields"),
        (line("GOOD-3"), None),
        ('BAD-5,"a"b,,1,EUR,Kitchen,', "not CSV"),
        ('BAD-6,Title,"two\nlines",x,,Kitchen,', "price: Must be"),  # 13 and 14
        (line("B\xffAD-7"), "is not UTF-8"),
        ("BAD-8,Title \x07,,1,EUR,Kitchen,", "title: Must have a visible character, and neither"),
        ("BAD-9,,,1,EUR,Kitchen,", "title:"),
        ("BAD-10," + "x" * 200_000 + ",,1,EUR,Kitchen,", "field limit"),
        (line("GOOD-4"), None),
        ('BAD-11,"never closed,,1,EUR,Kitchen,', "a quote opens in this line and is not closed"),
    ]
    assert take("\r\n".join(text for text, _ in lines).encode("latin-1")) == (4, 0, 0, 11, 0)
    assert list(take.held()) == ["GOOD-1", "GOOD-2", "GOOD-3", "GOOD-4"]
    expected, number = [], 1
    for text, reason in lines:
        if reason:
            expected.append((number, reason))
        number += 1 + text.count("\n")
    assert [at for at, _ in take.errors] == [at for at, _ in expected]
    assert [e for e, (_, reason) in zip(take.errors, expected, strict=True) if reason not in e[1]] == []
    assert "currency" in dict(take.errors)[13]


def test_unclosed_quote_costs_its_own_line_and_no_other(take: Importer) -> None:
    names = [f"SKU-{number:02}" for number in range(1, 15)]
    lines = [line(name) for name in names]
    lines[2] = 'SKU-03,"Never closed,,1.00,EUR,Kitchen,'
    lines[13] = 'SKU-14,"A quoted, closed title","Two\nlines",1.00,EUR,Kitchen,'
    assert take("\n".join([HEADER, *lines])) == (13, 0, 0, 1, 0)
    assert take.errors == [(4, "not CSV: a quote opens in this line and is not closed properly")]
    assert list(take.held()) == [name for name in names if name != "SKU-03"]
    assert take.held()["SKU-14"]["description"] == "Two\nlines"


@pytest.mark.parametrize(
    ("broken", "last"),
    [
        ('BAD,"open,,1,EUR,Kitchen,', line("LAST")),  # nothing closes it
        ('BAD,"open,,1,EUR,Kitchen,', 'LAST,17",,1,EUR,Kitchen,'),  # closed by an inch mark, in a title of 3,000 lines
        ('BAD,open,"1,EUR,Kitchen,', 'LAST,17",,1,EUR,Kitchen,'),  # with too many cells
        ('BAD,open,"desc,1,EUR,Kitchen,', 'LAST,Title,17",1,EUR,Kitchen,'),  # in a description that is too long then
        ('BAD,open,,1,EUR,Kitchen,"', 'LAST,Title,,1,EUR,Kitchen,""'),
    ],
)
def test_every_line_after_an_unclosed_quote_is_read(take: Importer, broken: str, last: str) -> None:
    content = "\n".join([HEADER, line("FIRST"), broken, *rows(1, 3_000), last])
    created, _updated, _unchanged, skipped, _repeated = take(content)
    assert (created, skipped) == (3_002, 1)
    assert [at for at, _ in take.errors] == [3]


def test_rows_in_a_description_are_its_text(take: Importer) -> None:
    """The text of a properly closed cell makes no product, even if its row is refused."""
    text = f"{line('INNER')}\n{line('INNER-2')}"
    assert take(csv_text([row("A", description=text), row("B", description=text, price="x")])) == (1, 0, 0, 1, 0)
    assert take.held()["A"]["description"] == text
    assert [at for at, _ in take.errors] == [4]


def test_bad_ndjson_rows_are_reported_with_their_lines_and_their_neighbours_imported(take: Importer) -> None:
    good = [json.dumps(row(f"GOOD-{number}")) for number in range(3)]
    lines: list[tuple[str, str | None]] = [
        (good[0], None),
        ("", None),
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ('"text"', "must be an object"),
        (json.dumps({**CONTENT, "colour": "red"}), "colour: Unknown field"),
        (json.dumps({**CONTENT, "\x1b[2J\n": 1}), r"'\x1b[2J\n': Unknown field"),
        (json.dumps({**CONTENT, "price": 12.5}), "price: Must be a decimal string"),
        (json.dumps({**CONTENT, "title": None}), "title: "),
        (json.dumps({**CONTENT, "title": "\ud800"}), "title: Must contain only complete Unicode"),
        (json.dumps({"sku": "X"}), "category: Missing data"),
        (good[1], None),
        ('{"sku": "\xff"}', "is not UTF-8"),
        ("[" * 100_000, "not JSON"),
        ('{"price": ' + "9" * 5000 + "}", "not JSON"),
        (good[2], None),
    ]
    assert take("\n".join(text for text, _ in lines).encode("latin-1"), "a.ndjson")[:4] == (3, 0, 0, 13)
    expected = [(at, reason) for at, (_, reason) in enumerate(lines, 1) if reason]
    assert [at for at, _ in take.errors] == [at for at, _ in expected]
    assert [e for e, (_, reason) in zip(take.errors, expected, strict=True) if reason not in e[1]] == []
    assert all(reason.isprintable() for _, reason in take.errors)


def test_file_of_bad_rows_only_writes_nothing(take: Importer) -> None:
    assert take("\n".join([HEADER, *(line(f"bad {n}") for n in range(CHUNK + 1))])) == (0, 0, 0, CHUNK + 1, 0)
    assert row_counts(take.app) == {"products": 0, "replication": 0, "product_changes": 0}


def test_prices_are_read_and_written_with_the_decimals_of_their_currency(take: Importer) -> None:
    lines = [
        "A,Mug,,1250,JPY,Kitchen,",
        "B,Mug,,1.25,KWD,Kitchen,",
        "C,Mug,,12.5,JPY,Kitchen,",
        "D,Mug,,1,ABC,Kitchen,",
    ]
    assert take("\n".join([HEADER, *lines])) == (2, 0, 0, 2, 0)
    assert take.errors == [
        (4, "price: JPY has no decimals."),
        (5, "currency: Must be the code of a currency (ISO 4217), such as EUR."),
    ]
    assert [record["price"] for record in csv.DictReader(io.StringIO(exported(take.app, "csv")))] == ["1250", "1.250"]
    assert take(exported(take.app, "csv")) == (0, 0, 2, 0, 0)


# --- upsert -----------------------------------------------------------------------------------------------


def test_created_updated_and_unchanged_rows_are_counted(take: Importer) -> None:
    take(csv_text([row("A"), row("B"), row("C")]))
    assert take(csv_text([row("A"), row("B", title="New"), row("C", price="12.5"), row("D")])) == (1, 1, 2, 0, 0)
    assert take.held()["B"]["title"] == "New"
    assert [len(take.log(sku)) for sku in "ABCD"] == [1, 2, 1, 1]


def test_unchanged_rows_make_no_version(take: Importer) -> None:
    take(csv_text(ODD))
    before = row_counts(take.app), take.held()
    assert take(csv_text(ODD)) == (0, 0, len(ODD), 0, 0)
    assert (row_counts(take.app), take.held()) == before
    with take.app.app_context():
        assert set(db.session.execute(select(Product.version)).scalars()) == {1}


def test_import_uses_the_bulk_lane_and_names_its_author(take: Importer) -> None:
    take(csv_text([row("A")]), author="anna")
    assert take.log("A") == [("created", "anna")]
    with take.app.app_context():
        assert [(r.lane, r.state, r.sequence) for r in db.session.execute(select(Replication)).scalars()] == [
            (BULK, FRESH, 1)
        ]


def test_last_row_of_a_sku_wins_and_the_others_are_counted(take: Importer) -> None:
    assert take(csv_text([row("A", title=t) for t in ("one", "two", "three")] + [row("B")])) == (2, 0, 0, 0, 2)
    assert take.held()["A"]["title"] == "three"
    assert take.log("A") == [("created", "import")]


def test_last_row_of_a_sku_wins_across_chunks(take: Importer) -> None:
    content = "\n".join([HEADER, line("A", "1"), *rows(1, CHUNK), line("A", "2")])
    assert take(content) == (CHUNK + 1, 1, 0, 0, 0)
    assert take.held()["A"]["price"] == "2.00"


def test_bad_last_row_of_a_sku_leaves_the_good_one(take: Importer) -> None:
    assert take(csv_text([row("A", title="good"), row("A", price="x")])) == (1, 0, 0, 1, 0)
    assert take.held()["A"]["title"] == "good"


def test_sku_of_a_deleted_product_makes_a_new_one(take: Importer) -> None:
    take(csv_text([row("A")]))
    with take.app.app_context():
        first = db.session.execute(select(Product.id)).scalar_one()
        db.session.rollback()
        service.delete_product(first, service.ANY_VERSION, "test")
    assert take(csv_text([row("A")])) == (1, 0, 0, 0, 0)
    with take.app.app_context():
        assert db.session.execute(select(Product.id).where(Product.deleted_at.is_(None))).scalar_one() > first


# --- interrupted ------------------------------------------------------------------------------------------


class Interrupted(Exception):
    """What a test raises in the middle of an import."""


def interrupt(take: Importer, content: str, name: str = "catalogue.csv", *, restart: bool = False) -> None:
    """Import until the first bad row is reported."""
    path = take.folder / name
    path.write_text(content)

    def stop(line: int, reason: str) -> None:
        raise Interrupted(f"{line}: {reason}")

    with take.app.app_context():
        with pytest.raises(Interrupted):
            import_file(path, "first", restart=restart, on_error=stop)
        db.session.rollback()


def edit(take: Importer, sku: str, title: str) -> None:
    with take.app.app_context():
        product_id = db.session.execute(select(Product.id).filter_by(live_sku=sku)).scalar_one()
        db.session.rollback()
        service.update_product(product_id, {"title": title}, service.ANY_VERSION, "editor")


# One chunk, then a bad row in the second.
BROKEN = "\n".join([HEADER, *rows(1, CHUNK), line("bad row"), *rows(CHUNK + 1, CHUNK + 100)])
FIRST, SECOND = "SKU-000001", f"SKU-{CHUNK + 1:06}"


def test_interrupted_import_resumes_and_imports_no_row_twice(take: Importer) -> None:
    interrupt(take, BROKEN)
    assert len(take.held()) == CHUNK
    edit(take, FIRST, "Edited meanwhile")
    assert take(BROKEN, author="second") == (100, 0, 0, 1, 0)
    assert take.errors[0][0] == CHUNK + 2
    assert take.held()[FIRST]["title"] == "Edited meanwhile"
    assert take.log(FIRST) == [("created", "first"), ("updated", "editor")]
    assert take.log(SECOND) == [("created", "second")]


def test_finished_import_starts_over_when_it_is_run_again(take: Importer) -> None:
    interrupt(take, BROKEN)
    take(BROKEN)
    edit(take, FIRST, "Edited meanwhile")
    assert take(BROKEN) == (0, 1, CHUNK + 99, 1, 0)
    with take.app.app_context():
        assert db.session.execute(select(ImportProgress)).scalars().all() == []


def test_interrupted_import_is_known_by_its_content_not_its_name(take: Importer) -> None:
    interrupt(take, BROKEN)
    assert take(BROKEN, "renamed.csv") == (100, 0, 0, 1, 0)


def test_another_file_starts_at_its_beginning_and_leaves_the_interrupted_one(take: Importer) -> None:
    interrupt(take, BROKEN)
    assert take("\n".join([HEADER, *rows(1, CHUNK + 1)])) == (1, 0, CHUNK, 0, 0)
    assert take(BROKEN) == (99, 0, 1, 1, 0)


def test_restart_imports_every_row_again(take: Importer) -> None:
    interrupt(take, BROKEN)
    edit(take, FIRST, "Edited meanwhile")
    assert take(BROKEN, restart=True) == (100, 1, CHUNK - 1, 1, 0)
    assert take.held()[FIRST]["title"] == f"Title of {FIRST}"


def test_restart_that_is_interrupted_at_once_is_still_a_restart(take: Importer) -> None:
    content = BROKEN.replace(line(FIRST), line(FIRST, "x"), 1)
    path = take.folder / "catalogue.csv"
    path.write_text(content)
    reported: list[int] = []

    def stop_at_second(line: int, _reason: str) -> None:
        reported.append(line)
        if len(reported) == 2:
            raise Interrupted

    with take.app.app_context():
        with pytest.raises(Interrupted):
            import_file(path, "first", restart=False, on_error=stop_at_second)
        db.session.rollback()
    interrupt(take, content, restart=True)
    edit(take, "SKU-000002", "Edited meanwhile")
    assert take(content) == (100, 1, CHUNK - 2, 2, 0)


# --- size -------------------------------------------------------------------------------------------------


def test_twenty_thousand_rows_take_no_more_memory_than_a_few_chunks(take: Importer) -> None:
    """The file is 20 MB; a chunk of 500 such rows is 0.5 MB, held as text, content, objects and SQL parameters.

    1,000 rows are created, 1,000 unchanged and 18,000 reported: tracemalloc makes each slow, so few of the slowest.
    """
    padding = "x" * 950
    good = [f"SKU-{n:06},Title of {n},{padding},1.00,EUR,Kitchen," for n in range(1_000)]
    records = [*good, *good, *(f"SKU-{n:06},{padding},too,few" for n in range(18_000))]
    path = take.folder / "large.csv"
    path.write_text("\n".join([HEADER, *records]))
    assert path.stat().st_size > 19_000_000
    take(f"{HEADER}\n{line('WARM-UP')}")  # what is loaded once
    with take.app.app_context():
        tracemalloc.start()
        try:
            result = import_file(path, "import", restart=False, on_error=lambda *_: None)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (result.created, result.unchanged, result.skipped) == (1_000, 1_000, 18_000)
    assert peak < 10_000_000


# --- export -----------------------------------------------------------------------------------------------


def exported(app: Flask, kind: str) -> str:
    out = io.StringIO(newline="")
    with app.app_context():
        export(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_export_can_be_imported_elsewhere(take: Importer, migrated: Path, tmp_path: Path, kind: str) -> None:
    take(csv_text(ODD))
    text = exported(take.app, kind)
    other = admin_on(shutil.copy(migrated, tmp_path / "other.db"))
    elsewhere = Importer(other, tmp_path)
    assert elsewhere(text, f"moved.{kind}") == (len(ODD), 0, 0, 0, 0)
    assert elsewhere.held() == take.held()
    assert exported(other, kind) == text
    dispose(other)


def test_export_has_the_live_products_of_every_page_by_id(take: Importer) -> None:
    take("\n".join([HEADER, *rows(1, 2_100)]))
    with take.app.app_context():
        service.delete_product(7, service.ANY_VERSION, "test")
    records = [json.loads(text) for text in exported(take.app, "ndjson").splitlines()]
    assert [r["sku"] for r in records] == [f"SKU-{n:06}" for n in range(1, 2_101) if n != 7]


def test_empty_catalogue_is_exported_as_a_header(app: Flask) -> None:
    assert exported(app, "csv") == HEADER + "\r\n"
    assert exported(app, "ndjson") == ""


# --- the command ------------------------------------------------------------------------------------------


ROOT = Path(__file__).parents[3]
LOCKSTEP = [sys.executable, "-c", "from lockstep.main import main; main()"]


class Cli:
    """The ``lockstep`` command on a database of its own, with its settings in the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *args: str | Path) -> Result:
        return CliRunner().invoke(lockstep_cli, [str(arg) for arg in args])

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def cli(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    database = shutil.copy(migrated, tmp_path / "cli.db")
    set_environment(monkeypatch, f"sqlite:///{database}")
    return Cli(tmp_path)


def test_command_imports_and_prints_the_result(cli: Cli) -> None:
    result = cli("import", cli.file("a.csv", csv_text([row("A"), row("A"), row("B")])))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 created, 0 updated, 0 unchanged, 0 skipped; 1 replaced by a later row of the same SKU" in result.stderr


def test_command_reports_bad_rows_and_exits_1(cli: Cli) -> None:
    result = cli("import", cli.file("a.csv", "\n".join([HEADER, line("A"), line("B", "x"), line("C")])))
    assert result.exit_code == 1
    assert "line 3: price: Must be a decimal string" in result.stderr
    assert "2 created, 0 updated, 0 unchanged, 1 skipped\n" in result.stderr


@pytest.mark.parametrize("content", [b"", b"sku,title\n", b"\xff"])
def test_command_exits_2_on_a_file_it_cannot_read(cli: Cli, content: bytes) -> None:
    path = cli.file("a.csv", content)
    result = cli("import", path)
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert "expected: sku,title" in result.stderr or "must be sku,title" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("by", ["dash", "device", "named pipe"])
def test_command_imports_from_a_pipe(cli: Cli, by: str) -> None:
    """A process of its own: a pipe can be read once, and an import reads its file several times."""
    content = ndjson_text([row("A"), row("B", price="x"), row("C")]).encode()
    path = {"dash": "-", "device": "/dev/stdin", "named pipe": str(cli.folder / "pipe")}[by]
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if by == "named pipe":
        os.mkfifo(path)
        options["stdin"] = subprocess.DEVNULL
    with subprocess.Popen([*LOCKSTEP, "import", path, "--format", "ndjson"], cwd=ROOT, **options) as process:
        if by == "named pipe":
            Path(path).write_bytes(content)
        _out, told = process.communicate(None if by == "named pipe" else content, timeout=120)
    assert process.returncode == 1, told.decode()
    assert "line 2: price: Must be a decimal string" in told.decode()
    assert "2 created, 0 updated, 0 unchanged, 1 skipped" in told.decode()


def test_standard_input_is_csv_unless_its_format_is_given(cli: Cli) -> None:
    result = CliRunner().invoke(lockstep_cli, ["import", "-"], input=csv_text([row("A")]))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 unchanged" in cli("import", cli.file("again.csv", csv_text([row("A")]))).stderr


def test_command_exits_2_without_a_file(cli: Cli) -> None:
    assert cli("import", cli.folder / "missing.csv").exit_code == 2
    assert cli("import", cli.folder).exit_code == 2


@pytest.mark.parametrize(
    ("args", "first"), [((), "sku,"), (("--format", "ndjson"), '{"sku"'), (("-", "--format", "csv"), "sku,")]
)
def test_command_exports_to_standard_output(cli: Cli, args: tuple[str, ...], first: str) -> None:
    cli("import", cli.file("a.csv", csv_text(ODD)))
    result = cli("export", *args)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (0, f"{len(ODD)} products")
    assert result.stdout.startswith(first)


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.jsonl"])
def test_command_exports_a_file_that_imports_unchanged(cli: Cli, name: str) -> None:
    cli("import", cli.file("a.csv", csv_text(ODD)))
    assert cli("export", cli.folder / name).exit_code == 0
    result = cli("import", cli.folder / name)
    assert f"0 created, 0 updated, {len(ODD)} unchanged, 0 skipped" in result.stderr


def test_export_is_utf_8_in_every_locale(cli: Cli) -> None:
    cli("import", cli.file("a.csv", csv_text(ODD)))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*LOCKSTEP, "export"], cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert done.stdout == exported_file(cli).read_bytes()
    assert "漢字" in done.stdout.decode()


def exported_file(cli: Cli) -> Path:
    path = cli.folder / "whole.csv"
    assert cli("export", path).exit_code == 0
    return path


@pytest.mark.parametrize("command", ["export", "export -", "staff list", "staff list --json"])
@pytest.mark.usefixtures("cli")
def test_full_disk_behind_standard_output_is_one_line(command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*LOCKSTEP, *command.split()], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False
        )
    assert done.returncode == 1, done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1, done.stderr.decode()
    assert b"No space left on device" in done.stderr


def test_failed_export_leaves_the_previous_file_and_prints_the_reason(cli: Cli) -> None:
    cli("import", cli.file("a.csv", csv_text(ODD)))
    for path, why in (
        (cli.folder / "missing" / "out.csv", "No such file or directory"),
        (Path("/dev/full"), "No space left on device"),
        (cli.file("file", b"") / "out.csv", "Not a directory"),
    ):
        result = cli("export", path)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.splitlines() == [f"Error: {path}: {why}. The export is not complete."]


def test_export_that_finds_the_disk_full_leaves_the_file_as_it_was(cli: Cli) -> None:
    """The limit of a file's size stands for the disk's; SIGXFSZ is ignored, as Python does, so writing fails."""
    rows_ = [row(f"SKU-{n}", description="x" * 9_000) for n in range(30)]
    cli("import", cli.file("a.csv", csv_text(rows_)))
    target = cli.file("out.csv", b"what was there")
    target.chmod(0o640)
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *LOCKSTEP, "export", str(target)]
    done = subprocess.run(limited, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == [f"Error: {target}: File too large. The export is not complete."]
    assert target.read_bytes() == b"what was there"
    assert [path.name for path in cli.folder.iterdir() if "part" in path.name] == []
    assert cli("export", target).exit_code == 0
    assert (len(target.read_text().splitlines()), target.stat().st_mode & 0o777) == (31, 0o640)


def test_command_restarts_an_import(cli: Cli) -> None:
    path = cli.file("a.csv", csv_text(ODD))
    cli("import", path)
    result = cli("import", path, "--restart", "--author", "anna")
    assert (result.exit_code, f"{len(ODD)} unchanged" in result.stderr) == (0, True)


def test_killed_import_resumes_where_it_stopped(cli: Cli) -> None:
    total = 8 * CHUNK
    path = cli.file("a.csv", "\n".join([HEADER, *rows(1, total)]))
    process = subprocess.Popen([*LOCKSTEP, "import", str(path)], cwd=ROOT, stderr=subprocess.DEVNULL)
    app = admin_on(cli.folder / "cli.db")
    try:
        _wait_for_progress(app, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = _progress(app)
    assert CHUNK <= done < total
    result = cli("import", path)
    assert f"{total - done} created, 0 updated, 0 unchanged, 0 skipped" in result.stderr
    assert row_counts(app) == {"products": total, "replication": total, "product_changes": total}
    dispose(app)


def _progress(app: Flask) -> int:
    """Read beside the import: through the app, each look would take the write lock and hold the import up."""
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT rows_done FROM import_progress").fetchone()
    return int(row[0]) if row else 0


def _wait_for_progress(app: Flask, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if done := _progress(app):
            return done
        time.sleep(0.01)
    raise AssertionError(f"the import did not begin (exit code {process.poll()})")
