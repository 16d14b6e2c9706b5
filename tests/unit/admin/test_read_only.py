"""Admin in read-only mode: whoever signs in looks, whatever their role, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.unit.admin.catalogue import CONTENT, PASSWORD, PRODUCTS, Api, admin_on, dispose


@pytest.fixture
def app(database: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("READ_ONLY", "true")
    database.write_bytes(migrated.read_bytes())
    app = admin_on(database)
    yield app
    dispose(app)


def test_an_editor_reads_and_is_told_why_nothing_can_be_changed(editor: Api) -> None:
    assert editor.listed().status_code == 200
    batch = {"items": [{"action": "create", "product": CONTENT}]}
    for path, body in ((PRODUCTS, CONTENT), (f"{PRODUCTS}/batch", batch)):
        answer = editor.call("POST", path, json=body)
        assert answer.status_code == 403
        assert "read-only demonstration" in answer.get_json()["detail"]
    assert editor.skus() == []


def test_one_can_still_sign_in_to_look(app: Flask) -> None:
    credentials = {"email": "viewer@example.com", "password": PASSWORD}
    assert app.test_client().post("/api/v1/auth/token", json=credentials).status_code == 200
