"""Documents of the copy that no message could have made: each affects only itself, in both services."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
import requests
from bson import Decimal128, ObjectId, Regex
from bson.datetime_ms import DatetimeMS
from sqlalchemy import delete, select, update

from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.outbox.client_gateway import client_gateway
from admin.outbox.models import VERIFIED, ProductChange, Replication
from admin.outbox.repair import repair
from admin.reconcile import client_copy
from admin.reconcile.compare import MALFORMED
from admin.reconcile.diff import Comparison, fields_of
from admin.relay.loop import Relay
from admin.relay.resync import Selection, mark_pending
from client.images import wanted
from client.likes import count
from client.likes.documents import Like
from client.replica import failures
from client.replica.content import content_of, problem_in
from client.replica.documents import SyncFailure
from client.store import database
from contract.messages import ProductChanged
from contract.names import BULK
from contract.service_calls import Repair
from tests.flow.stores import sqlite_url, unique_name
from tests.flow.two_stores import TwoStores, copy, create, deliver, two_stores
from tools.stack.servers.secantus import Secantus
from web.http.images import url_of

UNSET: Any = object()
BROKEN: dict[str, dict[str, Any]] = {
    "no sequence": {"sequence": UNSET},
    "sequence is a text": {"sequence": "7"},
    "sequence is a fraction": {"sequence": 1.5},
    "sequence is not a number": {"sequence": float("nan")},
    "sequence is a pattern": {"sequence": Regex(".*")},
    "sequence is a list": {"sequence": [1]},
    "applied_at is a text": {"applied_at": "yesterday"},
    "created_at is a text": {"created_at": "yesterday"},
    "no updated_at": {"updated_at": UNSET},
    "no title": {"title": UNSET},
    "title is a document": {"title": {"a": ""}},
    "price is a text": {"price": "cheap"},
    "price is not a number": {"price": Decimal128("NaN")},
    "image is a list": {"image_url": ["/images/1", 2]},
    "category is a number": {"category": 5},
    "nothing says whether it is deleted": {"deleted": UNSET},
    "deleted is a text": {"deleted": "no"},
    "deleted, with content": {"deleted": True},
    "checksum is a number": {"checksum": 5},
    "likes is a text": {"likes": "many"},
    "no likes": {"likes": UNSET},
    "it says to be of another class, and its sku is a number": {"_cls": "Nobody", "sku": 5},
    "lists of what is expected": {
        "sequence": [1],
        "deleted": [False],
        "likes": [7],
        "created_at": [datetime(2030, 1, 1, tzinfo=UTC)],
    },
    "nearly everything": {
        name: [{}]
        for name in ("sequence", "applied_at", "created_at", "title", "price", "image_url", "likes", "checksum")
    },
}
NEIGHBOURS = 5


@pytest.fixture(scope="module")
def stores(secantus: Secantus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoStores]:
    url = sqlite_url(tmp_path_factory.mktemp("malformed"))
    with two_stores(url, secantus.url(unique_name())) as stores:
        yield stores


@pytest.fixture(autouse=True)
def _emptied(stores: TwoStores) -> None:  # noqa: ARG001 - they have to be there
    for table in (Product, Replication, ProductChange):
        db.session.execute(delete(table))
    db.session.commit()
    for collection in (copy(), Like._get_collection(), SyncFailure._get_collection()):
        collection.delete_many({})


@pytest.fixture
def broken() -> dict[int, dict[str, Any]]:
    """A well-formed copy for each of BROKEN and some neighbours, the first then broken; return the originals."""
    ids = [create() for _ in range(len(BROKEN) + NEIGHBOURS)]
    deliver()
    were = {document["_id"]: document for document in copy().find({"_id": {"$in": ids[: len(BROKEN)]}})}
    for product_id, change in zip(were, BROKEN.values(), strict=True):
        change_by_hand(product_id, change)
    return were


def change_by_hand(product_id: int, change: dict[str, Any]) -> None:
    unset = {name: "" for name, value in change.items() if value is UNSET}
    set_ = {name: value for name, value in change.items() if value is not UNSET}
    copy().update_one({"_id": product_id}, {k: v for k, v in {"$set": set_, "$unset": unset}.items() if v})


def rows() -> dict[int, Replication]:
    found = db.session.execute(select(Replication).execution_options(populate_existing=True)).scalars().all()
    db.session.expunge_all()
    db.session.rollback()
    return {row.product_id: row for row in found}


def look_again(relay: Relay) -> None:
    """Make the sent rows due, then let ``relay`` recheck them."""
    db.session.execute(update(Replication).where(Replication.due_at.is_not(None)).values(due_at=utc_now()))
    db.session.commit()
    relay.recheck(BULK)


def test_broken_copies_are_listed_and_repaired_and_their_neighbours_verified(broken: dict[int, dict[str, Any]]) -> None:
    mark_pending(Selection())
    relay = Relay()
    relay.send_fresh(BULK)

    found = rows()
    reasons = {name: found[id_].last_error or "" for id_, name in zip(broken, BROKEN, strict=True)}
    assert all(reason.startswith("the Client's copy is malformed: ") for reason in reasons.values()), reasons
    assert "sequence is missing" in reasons["no sequence"]
    assert "applied_at is of type str" in reasons["applied_at is a text"]
    assert [row.state for id_, row in found.items() if id_ not in broken] == [VERIFIED] * NEIGHBOURS

    look_again(relay)
    assert {row.state for row in rows().values()} == {VERIFIED}
    assert [_different(copy().find_one({"_id": id_}) or {}, was) for id_, was in broken.items()] == [{}] * len(broken)


def _different(now: dict[str, Any], was: dict[str, Any]) -> dict[str, Any]:
    """Return the current values of the fields that changed, except the time of application."""
    return {name: now.get(name) for name in was if name != "applied_at" and now.get(name) != was[name]}


@pytest.mark.parametrize("pending", [False, True])
def test_comparison_lists_each_broken_copy_and_nothing_else(broken: dict[int, dict[str, Any]], pending: bool) -> None:
    if pending:
        mark_pending(Selection())
    assert {d.id: d.kind for d in Comparison(pause=0).drift()} == dict.fromkeys(broken, MALFORMED)
    for product_id in broken:
        fields = {field.name: field for field in fields_of(product_id).fields}
        assert not fields["checksum"].same
    assert client_copy.extent().highest_id >= max(broken)


def test_shop_hides_broken_copies_and_shows_their_neighbours(
    stores: TwoStores, broken: dict[int, dict[str, Any]]
) -> None:
    latest = {"deleted": False, "created_at": datetime(2030, 1, 1, tzinfo=UTC), "likes": 10**6, "category": "Strangers"}
    for stranger in ("abc", ObjectId(), 5.5, Decimal128("6.5")):
        copy().insert_one({"_id": stranger, **latest})
    neighbours = sorted(rows().keys() - broken.keys(), reverse=True)
    for sort in ("-created_at", "-likes"):
        assert sorted(walk(stores, f"/api/v1/products?limit=2&sort={sort}"), reverse=True) == neighbours
    asked = ",".join(map(str, [*broken, *neighbours]))
    assert sorted(map(int, get(stores, f"/shop/live?ids={asked}").json()["products"]), reverse=True) == neighbours
    page = get(stores, "/").text
    assert all(f'href="/products/{id_}"' in page for id_ in neighbours)
    assert not any(f'href="/products/{id_}"' in page for id_ in broken)
    for product_id in broken:
        get(stores, f"/products/{product_id}", status=404)
        get(stores, f"/api/v1/products/{product_id}", status=404)


def get(stores: TwoStores, path: str, status: int = 200) -> requests.Response:
    answer = requests.get(f"{stores.client_url}{path}", timeout=20)
    assert answer.status_code == status, answer.text
    return answer


def walk(stores: TwoStores, path: str) -> list[int]:
    ids: list[int] = []
    following: str | None = path
    while following:
        answer = get(stores, following)
        ids += [item["id"] for item in answer.json()["items"]]
        following = answer.links["next"]["url"] if "next" in answer.links else None
    return ids


@pytest.mark.parametrize("name", ["applied_at", "created_at"])
@pytest.mark.parametrize("milliseconds", [10**15, -(10**15)])
def test_time_beyond_pythons_range_is_read_as_broken(name: str, milliseconds: int) -> None:
    """MongoDB stores such a time; the stand-in refuses it."""
    create()
    deliver()
    stored = bson.encode({**(copy().find_one() or {}), name: DatetimeMS(milliseconds), "title": "x"})
    document = bson.decode(stored.replace(b"x\0", b"\xff\0"), database().codec_options)
    assert name in (problem_in(document) or "")
    assert content_of(document)["title"] == "\N{REPLACEMENT CHARACTER}"


def test_count_that_is_no_number_does_not_stop_other_counts() -> None:
    first, second, third, fourth = (create() for _ in range(4))
    deliver()
    change_by_hand(first, {"likes": "many"})
    change_by_hand(second, {"likes": 2**63 - 1})
    change_by_hand(fourth, {"likes": [1]})
    likes = [{"_id": f"{id_}:u", "product": id_, "user": "u", "liked": True} for id_ in (first, second, third, fourth)]
    Like._get_collection().insert_many([{**like, "revision": 1, "uncounted": True} for like in likes])
    assert count.count() == 4
    assert (copy().find_one({"_id": third}) or {})["likes"] == 1
    change_by_hand(second, {"likes": UNSET})
    mark_pending(Selection())
    Relay().send_fresh(BULK)
    assert [document["likes"] for document in copy().find().sort("_id", 1)] == [1, 1, 1, 1]


@pytest.mark.parametrize("sequence", [float("inf"), 1e300, Decimal128("9E+30"), 2**63 - 1, [99]])
def test_recovery_starts_from_sequences_inserted_by_hand(sequence: Any) -> None:
    first, second = create(), create()
    deliver()
    change_by_hand(first, {"sequence": sequence})
    change_by_hand(second, {"sequence": 77})
    assert client_gateway().ask("/service/v1/products/extent", {})["highest_sequence"] == 77


def test_images_and_lost_messages_of_others_are_served_beside_a_broken_copy() -> None:
    listed, other = create(), create()
    deliver()
    digests = ["a" * 64, "b" * 64]
    urls = [url_of(digest) for digest in digests]
    change_by_hand(listed, {"sequence": UNSET, "image_url": [urls[0], {"a": 1}]})
    change_by_hand(other, {"image_url": urls[1]})
    assert wanted.named(digests) == set(digests)
    failures.record_worker_lost([{"id": listed, "sequence": 3}, {"id": other, "sequence": 3}], "it ended its worker")
    assert {failure["_id"] for failure in SyncFailure._get_collection().find()} == {listed, other}


def test_broken_reason_hides_no_other() -> None:
    ids = [create() for _ in range(3)]
    reasons = [{"sequence": "x", "reason": 5}, {"reason": {"a": 1}}, {"sequence": 1, "reason": "no good"}]
    SyncFailure._get_collection().insert_many(
        [{"_id": id_, **reason} for id_, reason in zip(ids, reasons, strict=True)]
    )
    held = client_gateway().replica_states(ids).states
    assert [held[id_].failure for id_ in ids] == [None, None, "no good"]


def test_state_that_breaks_the_contract_does_not_stop_other_repairs() -> None:
    ids = [create(), create()]
    deliver()
    held = client_copy.listed(ids)
    states = ProductChanged(ids[0], 0, None), ProductChanged(ids[1], 7, None)  # versions begin at 1
    outcomes = repair(Repair(state.id, held[state.id], state) for state in states)
    assert outcomes == {ids[0]: "invalid", ids[1]: "repaired"}
