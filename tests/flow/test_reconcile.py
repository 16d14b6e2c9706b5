"""``lockstep sync diff``, its repair and the scheduled check, on MariaDB and a MongoDB-wire server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, select, text, update

from admin.catalogue import service
from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.models import FRESH, ProductChange, Replication
from admin.reconcile import check, client_copy
from admin.reconcile.diff import Comparison
from admin.reconcile.models import Drift, DriftCheck
from admin.reconcile.repair import repair
from admin.reconcile.repair_run import RepairRun
from admin.relay import claims
from client.likes.documents import Like
from client.replica import apply
from contract.messages import ProductChanged
from contract.names import BULK
from lockstep.main import cli as lockstep_cli
from tests.flow.stores import NOWHERE, unique_name
from tests.flow.two_stores import TwoStores, copy, create, deliver, two_stores
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.secantus import Secantus

_NO_PAUSE = {"paused_until": None}


@pytest.fixture(scope="module")
def stores(mariadb: MariaDB, secantus: Secantus) -> Iterator[TwoStores]:
    with two_stores(mariadb.create_database(unique_name()), secantus.url(unique_name())) as stores:
        yield stores


@pytest.fixture(autouse=True)
def _emptied(stores: TwoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with empty stores; the command line finds them by its settings."""
    for table in (Product, Replication, ProductChange, Drift):
        db.session.execute(delete(table))
    db.session.execute(
        update(DriftCheck).values(after_id=None, due_at="2000-01-01", pass_finished_at=None, **_NO_PAUSE)
    )
    db.session.commit()
    for collection in (copy(), Like._get_collection()):
        collection.delete_many({})
    for name, value in stores.settings.items():
        monkeypatch.setenv(name, value)


def sync(*args: str) -> Result:
    return CliRunner().invoke(lockstep_cli, ["sync", *args])


def drift(*args: str, exit_code: int) -> dict[int, dict[str, Any]]:
    """Run ``sync diff --json`` and return what it lists, by id."""
    result = sync("diff", "--json", *args)
    assert result.exit_code == exit_code, result.output
    return {item["id"]: item for item in json.loads(result.stdout)["drift"]}


def repaired() -> dict[int, str]:
    """Compare and repair without the command's pause between two checks; return the kinds, by id."""
    repairing = RepairRun(allowed=False)
    outcomes = repairing.repair(list(Comparison(pause=0).drift())) + repairing.delete()
    assert all(ok for _difference, ok in outcomes)
    assert list(Comparison(pause=0).drift()) == []
    return {difference.id: difference.kind for difference, _ok in outcomes}


def in_sync(count: int) -> list[int]:
    """Create ``count`` products and deliver them to the Client; return their ids."""
    ids = [create() for _ in range(count)]
    deliver()
    return ids


def copied(source: int, *ids: int) -> None:
    copy().insert_many([{**(copy().find_one({"_id": source}) or {}), "_id": id_} for id_ in ids])


def test_manual_edits_of_the_copy_are_listed_and_repaired() -> None:
    ids = in_sync(30)
    edited, removed, added = ids[:5], ids[10:15], range(ids[-1] + 1000, ids[-1] + 1005)
    copy().update_one({"_id": edited[0]}, {"$set": {"title": "Hacked"}})
    copy().update_one({"_id": edited[1]}, {"$set": {"sequence": 9}})
    copy().update_one({"_id": edited[2]}, {"$set": {"sequence": 0}})
    copy().update_one({"_id": edited[3]}, {"$set": {"price": 12.5}})
    copy().update_one({"_id": edited[4]}, {"$unset": {"sequence": "", "currency": ""}})
    copy().delete_many({"_id": {"$in": removed}})
    copied(ids[20], *added[1:])
    copy().insert_one({"_id": added[0], "title": "Typed in"})

    found = drift(exit_code=3)

    kinds = ["differing", "ahead", "stale", "malformed", "malformed", *["missing"] * 5, *["orphaned"] * 5]
    assert {id_: item["kind"] for id_, item in found.items()} == dict(
        zip([*edited, *removed, *added], kinds, strict=True)
    )
    assert found[edited[0]]["why"] == "same version, other content"
    assert found[removed[0]]["client"] is None
    assert all(item["repaired"] for item in drift("--repair", exit_code=0).values())
    assert drift(exit_code=0) == {}
    assert create() > added[-1]  # no later product meets the tombstone of a stranger
    assert copy().count_documents({"deleted": False}) == 30


def test_table_is_for_people() -> None:
    (product_id,) = in_sync(1)
    assert (sync("diff").stdout, sync("diff").stderr.splitlines()[-1]) == ("", "in sync")
    copy().delete_one({"_id": product_id})
    result = sync("diff")
    assert result.exit_code == 3
    assert "missing" in result.stdout
    assert "the Client lacks it" in result.stdout
    assert "1 products out of sync" in result.stderr


def test_lost_tombstone_is_drift_and_an_unknown_tombstone_is_not() -> None:
    deleted, _kept = in_sync(2)
    service.delete_product(deleted, service.ANY_VERSION, "tester")
    deliver()
    copy().insert_one({"_id": deleted + 500, "sequence": 3, "deleted": True, "checksum": ""})
    assert drift(exit_code=0) == {}
    copy().delete_one({"_id": deleted})
    assert repaired() == {deleted: "missing"}
    assert (copy().find_one({"_id": deleted}) or {})["deleted"] is True


def test_pending_change_is_no_drift() -> None:
    first, second = in_sync(2)
    service.update_product(first, {"title": "New"}, service.ANY_VERSION, "tester")
    service.delete_product(second, service.ANY_VERSION, "tester")
    result = sync("diff", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"drift": [], "pending": 2, "left": 0})


def test_product_edited_in_sql_is_found_and_sent_to_the_client() -> None:
    edited, *_others = in_sync(3)
    db.session.execute(text("UPDATE products SET title = 'By hand' WHERE id = :id"), {"id": edited})
    db.session.commit()
    assert repaired() == {edited: "differing"}
    assert (copy().find_one({"_id": edited}) or {})["title"] == "By hand"
    row = db.session.execute(select(Replication).filter_by(product_id=edited)).scalar_one()
    assert (row.state, row.lane, row.verified_sequence) == (FRESH, BULK, 1)  # the relay verifies it
    held = client_copy.listed([edited])[edited]
    assert row.checksum == held.checksum
    assert [row.product_id for row in claims.claim(BULK, (FRESH,), 10)] == [edited]


def test_product_inserted_in_sql_is_found_and_sent_to_the_client() -> None:
    (existing,) = in_sync(1)
    names = "title, description, price, currency, category, image_url, created_at, updated_at, version"
    insert = f"INSERT INTO products (id, sku, live_sku, {names}) SELECT id + 7, 'H', 'H', {names} FROM products"
    db.session.execute(text(insert))
    db.session.commit()
    assert repaired() == {existing + 7: "missing"}


def test_one_product_is_compared_field_by_field() -> None:
    (product_id,) = in_sync(1)
    assert sync("diff", str(product_id)).exit_code == 0
    copy().update_one({"_id": product_id}, {"$set": {"price": 12.5, "title": "[bold]Hacked"}})
    shown = sync("diff", str(product_id), "--json")
    assert shown.exit_code == 3
    fields = json.loads(shown.stdout)["fields"]
    assert {name for name, field in fields.items() if not field["same"]} == {"title", "price", "checksum"}
    assert fields["price"] == {"admin": "12.50", "client": "12.5 (float)", "same": False}
    assert "[bold]Hacked" in sync("diff", str(product_id)).stdout
    assert sync("diff", str(product_id + 1)).exit_code == 1


def test_range_limits_what_is_compared_and_repaired() -> None:
    ids = in_sync(4)
    copy().delete_many({})
    assert list(drift("--from", str(ids[1]), "--to", str(ids[2]), "--repair", exit_code=0)) == ids[1:3]
    assert sorted(document["_id"] for document in copy().find()) == ids[1:3]
    assert list(drift(str(ids[0]), "--repair", exit_code=0)) == ids[:1]
    assert sync("diff", "1", "--to", "2").exit_code == 2


def test_many_deletions_need_permission() -> None:
    ids = in_sync(3)
    copy().delete_one({"_id": ids[0]})
    strangers = range(ids[-1] + 1, ids[-1] + 12)
    copied(ids[1], *strangers)
    found = drift("--repair", exit_code=1)
    assert {id_: item["repaired"] for id_, item in found.items()} == {ids[0]: True, **dict.fromkeys(strangers, False)}
    assert copy().count_documents({"deleted": False}) == 14
    outcomes = RepairRun(allowed=True).repair(list(Comparison(pause=0).drift()))
    assert [(difference.id, ok) for difference, ok in outcomes] == [(id_, True) for id_ in strangers]
    assert copy().count_documents({"deleted": False}) == 3


def test_repair_never_replaces_a_copy_that_became_newer() -> None:
    (product_id,) = in_sync(1)
    copy().update_one({"_id": product_id}, {"$set": {"title": "Hacked"}})
    seen = list(Comparison(pause=0).drift())
    service.update_product(product_id, {"title": "Newer"}, service.ANY_VERSION, "tester")
    deliver()
    assert repair(seen) == set()
    assert (copy().find_one({"_id": product_id}) or {})["title"] == "Newer"


def test_compare_and_set_replaces_only_the_copy_that_was_seen() -> None:
    (product_id,) = in_sync(1)
    current = client_copy.listed([product_id])[product_id]
    body = {"id": product_id, "seen": {"sequence": current.sequence, "checksum": "0" * 32}, "state": None}
    assert client_copy.ask("repair", {"repairs": [body]}) == {"outcomes": [[product_id, "changed"]]}
    body["seen"] = {"sequence": current.sequence, "checksum": current.checksum}
    body["state"] = ProductChanged(product_id, 1, None).encode()
    assert client_copy.ask("repair", {"repairs": [body]}) == {"outcomes": [[product_id, "repaired"]]}
    body["seen"] = {"sequence": current.sequence, "checksum": ""}
    assert client_copy.ask("repair", {"repairs": [body]}) == {"outcomes": [[product_id, "equal"]]}


def test_repaired_product_has_its_likes() -> None:
    (product_id,) = in_sync(1)
    likes = [{"_id": f"{product_id}:u{n}", "product": product_id, "liked": n > 0, "counted": n > 0} for n in range(4)]
    Like._get_collection().insert_many(likes)
    copy().delete_one({"_id": product_id})
    repaired()
    assert (copy().find_one({"_id": product_id}) or {})["likes"] == 3


def test_restored_database_needs_recovery_not_repair() -> None:
    in_sync(1)
    db.session.execute(text("UPDATE sync_generations SET alarm = 'admin'"))
    db.session.commit()
    try:
        result = sync("diff", "--repair")
        assert (result.exit_code, "lockstep sync recover" in result.stderr) == (1, True)
    finally:
        db.session.execute(text("UPDATE sync_generations SET alarm = NULL"))
        db.session.commit()


def test_silent_client_is_a_dependency_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_CLIENT_URL", NOWHERE)
    for command in (["diff"], ["diff", "7"], ["diff", "--repair"]):
        assert sync(*command).exit_code == 4


def test_second_check_confirms_drift_and_removes_what_is_repaired() -> None:
    ids = in_sync(3)
    copy().update_one({"_id": ids[0]}, {"$set": {"title": "Hacked"}})
    copy().delete_one({"_id": ids[1]})
    check.compare_next()
    assert (check.summary().confirmed, check.summary().suspected) == (0, 2)
    assert check.summary().pass_finished_at is not None
    service.update_product(ids[1], {"title": "The relay is at work on it now"}, service.ANY_VERSION, "tester")
    check_again()
    summary = check.summary()
    assert (summary.confirmed, summary.suspected) == (1, 0)
    assert [(example.product_id, example.kind) for example in summary.examples] == [(ids[0], "differing")]
    drift("--repair", exit_code=0)
    assert (check.summary().confirmed, check.summary().suspected) == (0, 0)


def test_difference_that_changes_becomes_a_suspect_again() -> None:
    (product_id,) = in_sync(1)
    copy().delete_one({"_id": product_id})
    check.compare_next()
    copied_back = ProductChanged(product_id, 1, None)
    apply.apply([copied_back])
    check_again()
    assert (check.summary().confirmed, check.summary().suspected) == (0, 1)
    check_again()
    assert check.summary().examples[0].kind == "differing"


def test_relays_share_the_scheduled_check_and_its_period() -> None:
    (product_id,) = in_sync(1)
    check.compare_next()
    copy().delete_one({"_id": product_id})
    check.compare_next()  # another relay, at once
    assert check.summary().suspected == 0


def test_small_catalogue_is_compared_with_pauses_and_suspects_without() -> None:
    missing, changed = in_sync(2)
    copy().delete_one({"_id": missing})
    check.compare_next()
    copy().update_one({"_id": changed}, {"$set": {"title": "Hacked"}})
    check_again()
    assert (check.summary().confirmed, check.summary().suspected) == (1, 0)
    check_again(rested=True)
    assert (check.summary().confirmed, check.summary().suspected) == (0, 1), "the relay is at work on the missing one"


def test_scheduled_check_pauses_after_a_slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    in_sync(1)
    monkeypatch.setattr(check, "PAUSE_FACTOR", 1e6)
    check.compare_next()
    until, now = db.session.execute(select(DriftCheck.paused_until, utc_now())).one()
    assert timedelta(minutes=30) < until - now <= check.LONGEST_PAUSE


def test_scheduled_check_continues_after_the_clock_was_set_back() -> None:
    (product_id,) = in_sync(1)
    copy().delete_one({"_id": product_id})
    db.session.execute(update(DriftCheck).values(due_at="2999-01-01", paused_until="2999-01-01"))
    db.session.commit()
    check.compare_next()
    assert check.summary().suspected == 1


def check_again(rested: bool = False) -> None:
    """Let time pass, then check."""
    db.session.execute(update(DriftCheck).values(due_at="2000-01-01", **(_NO_PAUSE if rested else {})))
    db.session.execute(update(Drift).values(checked_at="2000-01-01"))
    db.session.commit()
    check.compare_next()
