"""Imports in the background: submitted once, run and resumed by any relay, watched, cancelled."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from admin.catalogue import importer
from admin.catalogue.import_rows import UnreadableFileError, read
from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.imports import runner, service
from admin.imports.models import UPLOADING, ImportJob, ImportPiece, RowError
from admin.outbox.models import Replication
from tests.unit.admin.catalogue import Api
from tools.stack.api import eventually

IMPORTS = "/api/v1/imports"
HEADER = "sku,title,price,currency,category"


def line(number: int, price: str = "1.00") -> str:
    return f"SKU-{number:05},Title {number},{price},EUR,Kitchen"


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


GOOD = table(*map(line, range(3)))
TWO_CHUNKS = table(*map(line, range(importer.CHUNK + 100)))


def submit(api: Api, content: bytes = GOOD, name: str = "catalogue.csv") -> TestResponse:
    return api.call("POST", IMPORTS, data={"file": (io.BytesIO(content), name)})


def submitted(api: Api, content: bytes = GOOD, name: str = "catalogue.csv") -> str:
    answer = submit(api, content, name)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def show(api: Api, job: str) -> dict[str, Any]:
    answer = api.call("GET", job)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.fixture
def relay(app: Flask) -> Iterator[None]:
    """The part of a relay that runs imports."""
    with runner.running(app):
        yield


def finished(api: Api, job: str) -> dict[str, Any]:
    eventually(lambda: show(api, job)["state"] not in {"waiting", "running"}, within=20)
    return show(api, job)


def count(app: Flask, table: Any) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.usefixtures("relay")
def test_a_file_is_imported_in_the_background(app: Flask, editor: Api) -> None:
    job = finished(editor, submitted(editor))
    assert (job["state"], job["percent"], job["rows"], job["created"]) == ("done", 100, 3, 3)
    assert job["author"] == "editor@example.com"
    assert count(app, Product) == 3
    assert count(app, ImportPiece) == 0  # the file is forgotten
    with app.app_context():
        causes = set(db.session.execute(select(Replication.request_id)).scalars())
    assert causes == {f"import-{job['id']}"}


@pytest.mark.usefixtures("relay")
def test_results_of_rows_are_counted_separately(editor: Api) -> None:
    finished(editor, submitted(editor))
    lines = [line(0), line(1, "2.00"), line(1, "3.00"), line(7), line(8, "x"), "SKU-9,too,few"]
    job = finished(editor, submitted(editor, table(*lines)))
    told = {name: job[name] for name in ("created", "updated", "unchanged", "repeated", "failed", "rows")}
    assert told == {"created": 1, "updated": 1, "unchanged": 1, "repeated": 1, "failed": 2, "rows": 6}


@pytest.mark.usefixtures("relay")
def test_every_line_of_an_upload_is_counted_once(editor: Api) -> None:
    lines = [
        line(0),
        'SKU-1,"open,1.00,EUR,Kitchen',
        *map(line, range(2, 9)),
        ",,,,",
        'SKU-9,"Nine, in quotes",1.00,EUR,Kitchen',
    ]
    location = submitted(editor, table(*lines).replace(b",", b";"), "semicolons.csv")
    job = finished(editor, location)
    assert (job["state"], job["created"], job["failed"], job["rows"]) == ("done", 9, 1, 10)
    [error] = editor.call("GET", f"{location}/errors").get_json()["items"]
    assert error == {"line": 3, "reason": "not CSV: a quote opens in this line and is not closed properly"}


@pytest.mark.usefixtures("relay")
def test_errors_are_listed_and_downloaded(editor: Api) -> None:
    complete = {"sku": "A", "title": "A", "price": "1.00", "currency": "EUR", "category": "Kitchen"}
    records = [{"sku": "A"}, {**complete, "=1+1": 1}, []]
    job = submitted(editor, "\n".join(map(json.dumps, records)).encode(), "catalogue.ndjson")
    assert finished(editor, job)["failed"] == 3
    page = editor.call("GET", f"{job}/errors?limit=2").get_json()
    assert [item["line"] for item in page["items"]] == [1, 2]
    last = editor.call("GET", f"{job}/errors?limit=2&after={page['next_line']}").get_json()
    assert (last["items"], last["next_line"]) == ([{"line": 3, "reason": "must be an object"}], None)
    answer = editor.call("GET", f"{job}/errors.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["line", "reason"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
    assert rows[2][1].startswith("'=1+1: Unknown field")  # no formula for a spreadsheet


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (GOOD, "catalogue.xlsx", "must be called .csv"),
        (GOOD, "", "is missing"),
        (b"", "catalogue.csv", "is empty"),
        (b"  \n", "catalogue.ndjson", "is empty"),
        (b"sku,title\nA,B\n", "catalogue.csv", "lacks"),
        (b"PK\x03\x04\x00\x00", "catalogue.csv", "is a ZIP archive or a spreadsheet; save the sheet"),
        (GOOD.decode().encode("utf-16"), "catalogue.csv", "is UTF-16 text; save it as UTF-8"),
        (gzip.compress(GOOD, mtime=0), "catalogue.csv.gz", "is compressed by gzip; unpack it first"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_at_once(
    app: Flask, editor: Api, content: bytes, name: str, reason: str
) -> None:
    answer = submit(editor, content, name)
    assert answer.status_code == 422, answer.text
    assert reason in answer.text
    assert count(app, ImportJob) == 0


def test_a_file_that_is_too_large_is_refused_with_a_reason(editor: Api) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = editor.call("POST", IMPORTS, form, environ_overrides={"CONTENT_LENGTH": str(101 << 20)})
    assert (answer.status_code, answer.get_json()["detail"]) == (413, "The file is too large. The limit is 100 MB.")


def test_second_upload_of_a_file_returns_its_unfinished_job(app: Flask, editor: Api) -> None:
    first = submitted(editor)
    assert submitted(editor, name="renamed.csv") == first
    assert count(app, ImportJob) == 1
    assert count(app, ImportPiece) == 1


@pytest.mark.usefixtures("relay")
def test_a_finished_file_may_be_imported_again(editor: Api) -> None:
    first = submitted(editor)
    assert finished(editor, first)["created"] == 3
    again = submitted(editor)
    assert again != first
    assert finished(editor, again)["unchanged"] == 3


def test_job_cancelled_before_its_start_imports_nothing(app: Flask, editor: Api) -> None:
    job = submitted(editor)
    assert editor.call("POST", f"{job}/cancel").get_json()["state"] == "cancelled"
    with runner.running(app):
        after = submitted(editor, table(line(9)))
        assert finished(editor, after)["created"] == 1
    assert count(app, Product) == 1
    assert editor.call("POST", f"{after}/cancel").get_json()["state"] == "done"  # too late, and no harm


def import_one_chunk(job_id: int, name: str) -> None:
    """Claim a job and import its first chunk, as a relay does before it dies."""
    job = runner.claim(name)
    assert job is not None
    assert job.id == job_id
    chunk = next(importer.chunks(read(io.BufferedReader(runner._File(job.id, lambda: None)), job.kind), job.rows))
    importer.store(chunk, job.author, partial(runner._store_progress, job.id, name))


def test_another_relay_resumes_the_job_of_one_that_died(app: Flask, editor: Api) -> None:
    location = submitted(editor, TWO_CHUNKS)
    job_id = int(location.rpartition("/")[2])
    with app.app_context():
        import_one_chunk(job_id, "the one that dies")
        assert runner.claim("another") is None  # the claim lasts
        past = db.session.execute(select(utc_now())).scalar_one() - timedelta(seconds=1)
        db.session.execute(update(ImportJob).values(claimed_until=past))
        db.session.execute(update(Product).where(Product.sku == "SKU-00000").values(title="Edited meanwhile"))
        db.session.commit()
    with runner.running(app):
        job = finished(editor, location)
    assert (job["rows"], job["created"], job["updated"]) == (importer.CHUNK + 100, importer.CHUNK + 100, 0)
    with app.app_context():
        assert db.session.scalar(select(Product.title).where(Product.sku == "SKU-00000")) == "Edited meanwhile"


def test_relay_that_lost_its_claim_changes_nothing(app: Flask, editor: Api) -> None:
    job_id = int(submitted(editor, TWO_CHUNKS).rpartition("/")[2])
    with app.app_context():
        job = runner.claim("slow")
        assert job is not None
        chunk = next(importer.chunks(read(io.BufferedReader(runner._File(job_id, lambda: None)), job.kind), 0))
        service.cancel(job_id)
        with pytest.raises(runner.NotOursError):
            importer.store(chunk, "x", partial(runner._store_progress, job_id, "slow"))
        db.session.rollback()
    assert count(app, Product) == 0


@pytest.mark.usefixtures("relay")
def test_a_bounded_number_of_errors_is_stored_and_all_are_counted(app: Flask, editor: Api) -> None:
    job = submitted(editor, table(*["bad"] * (runner.MAX_ERRORS + 5)))
    assert finished(editor, job)["failed"] == runner.MAX_ERRORS + 5
    assert count(app, RowError) == runner.MAX_ERRORS


@pytest.mark.usefixtures("relay")
def test_import_of_bad_rows_is_ended_and_the_next_one_runs(editor: Api) -> None:
    good = [line(number) for number in range(importer.CHUNK)]
    bad, behind = submitted(editor, table(*good, *["bad"] * 60_000)), submitted(editor)
    job = finished(editor, bad)
    assert (job["state"], job["created"]) == ("failed", importer.CHUNK)
    assert job["failed"] <= runner.MAX_ERRORS + importer.CHUNK
    assert f"given up after line {job['rows'] + 1}: " in job["reason"]
    assert "what was imported stays" in job["reason"]
    assert finished(editor, behind)["state"] == "done"


@pytest.mark.parametrize(
    ("failed", "rows", "hopeless"),
    [(10_000, 10_000, False), (10_001, 10_001, True), (10_001, 20_002, False), (10_001, 20_001, True)],
)
def test_import_is_hopeless_where_most_rows_are_wrong(failed: int, rows: int, hopeless: bool) -> None:
    assert runner.is_hopeless(failed, rows) == hopeless


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("commas.csv", table(line(0)) + b"," * 3_000_000),
        ("list.ndjson", b'{"sku": "A"}\n[' + b"[]," * 1_000_000 + b"[]]\n"),
        ("zeros.csv", table(line(0)) + b"\0" * 3_000_000),
    ],
)
def test_line_too_long_for_a_row_is_not_read_to_its_end(app: Flask, name: str, content: bytes) -> None:
    pieces: list[None] = []
    with app.app_context():
        job = service.get_job(service.submit(io.BytesIO(content), name, "editor").id)
        file = io.BufferedReader(runner._File(job.id, lambda: pieces.append(None)))
        with pytest.raises(UnreadableFileError, match=r"has a line \d of more than a million characters"):
            list(importer.chunks(read(file, job.kind), 0))
    assert 1 <= len(pieces) <= 2  # of three


def test_claim_is_renewed_while_blank_lines_are_read(app: Flask) -> None:
    with app.app_context():
        job_id = service.submit(io.BytesIO(table() + b"\n" * (3 * service.PIECE)), "blank.csv", "editor").id
        job = runner.claim("slow")
        assert job
        until, renewed = job.claimed_until, []

        def renew() -> None:
            past = utc_now() - timedelta(hours=1)  # as if the last piece had taken so long
            db.session.execute(update(ImportJob).values(claimed_until=past))
            runner.renew(job_id, "slow")
            renewed.append(db.session.scalar(select(ImportJob.claimed_until)))
            db.session.rollback()

        file = runner._File(job_id, renew)
        assert list(importer.chunks(read(io.BufferedReader(file), job.kind), 0)) == []
        assert len(renewed) > 3
        assert all(end >= until for end in renewed)
        service.cancel(job_id)
        with pytest.raises(runner.NotOursError):
            runner.renew(job_id, "slow")


def test_viewer_reads_imports_of_others(editor: Api, viewer: Api) -> None:
    job = submitted(editor)
    assert [item["id"] for item in viewer.call("GET", IMPORTS).get_json()["items"]] == [show(viewer, job)["id"]]


def test_unknown_import_is_not_found(editor: Api) -> None:
    for path in ("/7", "/7/errors", "/7/errors.csv"):
        assert editor.call("GET", f"{IMPORTS}{path}").status_code == 404
    assert editor.call("POST", f"{IMPORTS}/7/cancel").status_code == 404


def test_cut_off_uploads_and_old_jobs_are_deleted(app: Flask, editor: Api) -> None:
    old, cut_off, new = (int(submitted(editor, table(line(n))).rpartition("/")[2]) for n in range(3))
    with app.app_context():
        service.cancel(old)
        now = db.session.execute(select(utc_now())).scalar_one()
        long_ago = {"updated_at": now - timedelta(days=91), "submitted_at": now - timedelta(days=91)}
        db.session.execute(update(ImportJob).where(ImportJob.id != new).values(long_ago))
        db.session.execute(update(ImportJob).where(ImportJob.id == cut_off).values(state=UPLOADING))
        db.session.commit()
        service.purge()
        assert db.session.execute(select(ImportJob.id)).scalars().all() == [new]
        assert db.session.execute(select(ImportPiece.job_id)).scalars().all() == [new]
