"""The console's imports without JavaScript: upload, progress, skipped rows, cancel."""

import io
import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select, update

from admin.db.extensions import db
from admin.imports import runner
from admin.imports.models import RUNNING, ImportJob
from tests.browsing import JSON, Browser
from tests.unit.admin.catalogue import change
from tests.unit.admin.pages import send, words_of
from tools.stack.api import eventually

IMPORTS = "/console/imports"
HEADER = b"sku,title,price,currency,category\n"
GOOD = HEADER + b"A,Mug,1.00,EUR,Kitchen\n"


def upload(staff: Browser, content: bytes = GOOD, name: str = "catalogue.csv") -> str:
    """Upload a file; return the address of its import."""
    answer = send(staff, IMPORTS, file=(io.BytesIO(content), name))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def finished(app: Flask, staff: Browser, place: str) -> str:
    """Run the imports; return the text of the page."""
    with runner.running(app):
        eventually(lambda: "data-live" not in staff.get(place).text, within=20)
    return words_of(staff.get(place))


def test_file_is_imported_and_its_skipped_rows_can_be_downloaded(app: Flask, staff: Browser) -> None:
    place = upload(staff, GOOD + b"B,Cup,cheap,EUR,Kitchen\n", "spring <b>.csv")
    assert "State waiting" in words_of(staff.get(place))
    said = finished(app, staff, place)
    assert "spring <b>.csv" in said
    assert "State done" in said
    assert re.search(r"Rows 2 read New 1 .* Skipped 1 with errors", said)
    assert re.search(r"Line Why 3 price: ", said)
    download = staff.get(f"{place}/errors.csv")
    assert download.headers["Content-Disposition"] == 'attachment; filename="import-1-errors.csv"'
    assert download.text.startswith('line,reason\r\n3,"price: ')
    assert re.search(r"spring <b>.csv by editor@example.com done 2 1 0 1", words_of(staff.get(IMPORTS)))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "", "It is missing."),
        (GOOD, "catalogue.xlsx", "It must be called .csv"),
        (b"sku,title\n", "catalogue.csv", "It has a header that lacks"),
        (GOOD.decode().encode("utf-16"), "catalogue.csv", "It is UTF-16 text; save it as UTF-8"),
    ],
)
def test_file_that_cannot_be_imported_is_refused_at_its_field(
    app: Flask, staff: Browser, content: bytes, name: str, said: str
) -> None:
    answer = send(staff, IMPORTS, file=(io.BytesIO(content), name))
    assert (answer.status_code, 'id="field-file-error"' in answer.text) == (422, True)
    assert said in words_of(answer)
    with app.app_context():
        assert db.session.execute(select(ImportJob)).all() == []


def test_second_click_returns_the_same_import(staff: Browser) -> None:
    assert upload(staff) == upload(staff)


def test_running_import_can_be_cancelled_and_a_finished_one_cannot(staff: Browser) -> None:
    place = upload(staff)
    assert f'action="{place}/cancel"' in staff.get(place).text
    for _click in range(2):
        assert send(staff, f"{place}/cancel").headers["Location"] == place
    page = staff.get(place)
    assert "State cancelled" in words_of(page)
    assert "/cancel" not in page.text


def test_viewer_sees_imports_without_controls(staff: Browser, onlooker: Browser) -> None:
    place = upload(staff)
    for page in (IMPORTS, place):
        answer = onlooker.get(page)
        assert answer.status_code == 200
        assert "catalogue.csv" in answer.text
        assert 'type="file"' not in answer.text
        assert "Cancel" not in answer.text


def test_import_without_a_relay_says_so(app: Flask, staff: Browser) -> None:
    place = upload(staff)
    assert "relay" not in words_of(staff.get(place))
    long_ago = datetime(2026, 11, 1, 8)  # noqa: DTZ001 - as in the database
    for values, said in (
        ({"submitted_at": long_ago}, "No relay has started it"),
        ({"state": RUNNING, "claimed_until": long_ago}, "The relay that imported it stopped."),
    ):
        change(app, update(ImportJob).values(**values))
        assert said in words_of(staff.get(place))


def test_what_did_not_change_is_not_sent_again(app: Flask, staff: Browser) -> None:
    place = upload(staff)
    addresses = [f"{IMPORTS}.json", f"{place}/live.json"]
    first = [staff.client.get(address, headers=JSON) for address in addresses]
    assert [list(answer.get_json()["regions"]) for answer in first] == [["jobs"], ["now"]]
    finished(app, staff, place)
    for address, answer in zip(addresses, first, strict=True):
        again = staff.client.get(address, headers={**JSON, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 200
        latest = staff.client.get(address, headers={**JSON, "If-None-Match": again.headers["ETag"]})
        assert latest.status_code == 304


def test_older_imports_are_on_the_next_page(app: Flask, staff: Browser) -> None:
    upload(staff)
    with app.app_context():
        job = db.session.execute(select(ImportJob)).scalar_one()
        like_it = {
            c.key: getattr(job, c.key) for c in ImportJob.__table__.columns if c.key not in {"id", "active_file"}
        }
        db.session.add_all([ImportJob(**like_it) for _number in range(25)])
        db.session.commit()
    first = staff.get(IMPORTS).text
    assert first.count('id="job-') == 25
    [further] = re.findall(r'rel="next" href="([^"]+)"', first)
    assert re.findall(r'id="job-(\d+)"', staff.get(further).text) == ["1"]
