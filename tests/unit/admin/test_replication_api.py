"""The replication over REST and by command, without Client and broker: the state is unknown."""

from datetime import datetime

from flask import Flask
from sqlalchemy import case, select, update

from admin.db.extensions import db
from admin.outbox import change_log
from admin.outbox.models import FRESH, STUCK, VERIFIED, ProductChange, Replication
from admin.relay import resync
from contract.messages import parse_time
from tests.unit.admin.catalogue import PRODUCTS, VERIFY_ALL, Api, change

STATUS = "/api/v1/replication"


def test_status_is_unknown_without_answers_and_shows_the_oldest_change(editor: Api) -> None:
    first, _second = editor.create()["id"], editor.create(sku="MUG-2")
    shown = editor.call("GET", STATUS).get_json()
    assert (shown["state"], shown["pending"], shown["in_flight"], shown["stuck"]) == ("unknown", 2, 0, 0)
    assert "does not answer" in shown["client_error"]
    assert set(shown["queues"].values()) == {None}
    assert (shown["oldest"]["product_id"], shown["oldest"]["version"]) == (first, 1)
    assert shown["oldest"]["age"] >= 0
    assert shown["lag"] == {"p50": None, "p99": None, "changes": 0}
    assert shown["last_result"] is None


def test_product_shows_every_version_newest_first_page_by_page(editor: Api) -> None:
    product = editor.create()["id"]
    editor.patch(product, "*", title="Blue mug")
    editor.delete(product)
    path = f"{PRODUCTS}/{product}/replication"
    answer = editor.call("GET", path, query_string={"limit": 2})
    shown = answer.get_json()
    assert (shown["in_sync"], shown["replica"], shown["version"], shown["state"]) == (None, None, 3, FRESH)
    assert [(v["version"], v["kind"], v["author"]) for v in shown["versions"]] == [
        (3, "deleted", "editor@example.com"),
        (2, "updated", "editor@example.com"),
    ]
    rest = editor.call("GET", path, query_string={"limit": 2, "cursor": shown["next_cursor"]}).get_json()
    assert [(v["version"], v["kind"]) for v in rest["versions"]] == [(1, "created")]
    assert rest["next_cursor"] is None
    assert 'rel="next"' in answer.headers["Link"]


def test_unknown_product_has_no_replication(editor: Api) -> None:
    for method, path in (("GET", "999/replication"), ("POST", "999/resync")):
        answer = editor.call(method, f"{PRODUCTS}/{path}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def moment(day: str) -> datetime:
    return parse_time(f"{day}T00:00:00Z").replace(tzinfo=None)


def test_resync_makes_a_verified_product_due_again_also_a_deleted_one(app: Flask, editor: Api) -> None:
    product = editor.create()["id"]
    editor.delete(product)
    change(app, VERIFY_ALL)
    answer = editor.call("POST", f"{PRODUCTS}/{product}/resync")
    assert answer.status_code == 202
    assert editor.call("GET", answer.headers["Location"]).get_json()["state"] == FRESH


def test_resync_selects_by_id_sku_range_time_and_stuck(app: Flask, editor: Api) -> None:
    ids = [editor.create(sku=f"MUG-{n}")["id"] for n in range(5)]
    change(app, VERIFY_ALL)
    march, of_first = moment("2026-03-01"), ProductChange.product_id == ids[0]
    stuck = update(Replication).where(Replication.product_id == ids[4]).values(state=STUCK)
    change(app, stuck, update(ProductChange).values(changed_at=case((of_first, march), else_=moment("2026-01-01"))))
    with app.app_context():
        choices = {
            resync.Selection(): 5,
            resync.Selection(ids=(ids[0], ids[1], 999)): 2,
            resync.Selection(skus=("MUG-3", "NONE")): 1,
            resync.Selection(first_id=ids[1], last_id=ids[3]): 3,
            resync.Selection(changed_since=march): 1,
            resync.Selection(changed_until=march): 5,
            resync.Selection(stuck=True): 1,
            resync.Selection(stuck=True, last_id=ids[3]): 0,
        }
        assert {selection: resync.count(selection) for selection in choices} == choices


def test_resync_works_in_chunks_and_can_be_repeated(app: Flask, editor: Api) -> None:
    ids = [editor.create(sku=f"MUG-{n}")["id"] for n in range(3)]
    change(app, VERIFY_ALL)
    with app.app_context():
        seen: list[int] = []
        assert resync.mark_pending(resync.Selection(first_id=ids[1]), seen.append) == 2
        assert resync.mark_pending(resync.Selection(first_id=ids[1])) == 2
        states = dict(db.session.execute(select(Replication.product_id, Replication.state)).tuples().all())
    assert states == {ids[0]: VERIFIED, ids[1]: FRESH, ids[2]: FRESH}
    assert seen == [2]


def test_history_is_purged_by_age_a_chunk_at_a_time(app: Flask, editor: Api) -> None:
    product = editor.create()["id"]
    editor.patch(product, "*", title="Blue mug")
    change(app, update(ProductChange).where(ProductChange.sequence == 1).values(changed_at=moment("2020-01-01")))
    with app.app_context():
        assert (change_log.purge(), change_log.purge()) == (1, 0)
    shown = editor.call("GET", f"{PRODUCTS}/{product}/replication").get_json()
    assert [version["version"] for version in shown["versions"]] == [2]
