"""``Idempotency-Key``: a request that is sent twice is done once."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from admin.catalogue import idempotency
from admin.catalogue.idempotency import IdempotencyKey
from admin.db.extensions import db
from tests.unit.admin.catalogue import CONTENT, PRODUCTS, Api, row_counts


def create(editor: Api, key: str, **content: str) -> TestResponse:
    return editor.call("POST", PRODUCTS, {"Idempotency-Key": key}, json={**CONTENT, **content})


def age(app: Flask, by: timedelta, **values: object) -> None:
    """Make every key as old as if it had been claimed ``by`` earlier."""
    with app.app_context():
        for key in db.session.execute(select(IdempotencyKey)).scalars():
            key.claimed_at -= by
            for name, value in values.items():
                setattr(key, name, value)
        db.session.commit()


def test_same_key_and_body_answers_the_same_and_creates_nothing(app: Flask, editor: Api) -> None:
    first = create(editor, "k1")
    editor.patch(first.get_json()["id"], "*", title="Changed since")
    before = row_counts(app)
    again = create(editor, "k1")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert {n: again.headers[n] for n in ("Location", "ETag")} == {n: first.headers[n] for n in ("Location", "ETag")}
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert row_counts(app) == before


def test_same_key_with_another_body_is_refused(app: Flask, editor: Api) -> None:
    create(editor, "k1")
    before = row_counts(app)
    assert create(editor, "k1", title="Blue mug").status_code == 422
    assert row_counts(app) == before


def test_running_request_is_a_conflict_until_its_claim_expires(app: Flask, editor: Api) -> None:
    product = create(editor, "k1").get_json()
    editor.delete(product["id"])
    age(app, timedelta(0), answer=None)  # as it was before the answer
    refused = create(editor, "k1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")
    age(app, idempotency.CLAIMED_FOR + timedelta(seconds=1))
    assert create(editor, "k1").status_code == 201  # the claim of a process that died before creating anything


def test_claim_that_expired_creates_nothing(app: Flask) -> None:
    with app.app_context():
        claim = idempotency.Claim("someone", "k1")
        claim.acquire("f" * 64)
        db.session.execute(update(IdempotencyKey).values(claim="another"))
        db.session.commit()
        try:
            claim.store({"id": 1})
        except idempotency.KeyInFlightError:
            return
    raise AssertionError("stored an answer for another claim")


def test_failed_create_leaves_the_key_free(editor: Api) -> None:
    editor.create()
    assert create(editor, "k1").status_code == 409  # the sku is taken
    assert create(editor, "k1", sku="OTHER").status_code == 201


def test_key_gives_viewers_no_permission(editor: Api, viewer: Api) -> None:
    create(editor, "k1")
    assert viewer.call("POST", PRODUCTS, {"Idempotency-Key": "k1"}, json=CONTENT).status_code == 403


def test_invalid_key_is_refused(editor: Api) -> None:
    for key in ("", "a b", "é", "x" * 101):
        assert create(editor, key).status_code == 422, key


def test_old_keys_are_purged_in_chunks(app: Flask, editor: Api) -> None:
    create(editor, "old")
    age(app, idempotency.RETENTION + timedelta(minutes=1))
    create(editor, "new", sku="OTHER")
    with app.app_context():
        assert [idempotency.purge(), idempotency.purge()] == [1, 0]
        assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1
