"""Applying states on a MongoDB-wire server: duplicated, reordered and delayed messages end in the same state."""

import logging
import random
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from celery.exceptions import Retry, SoftTimeLimitExceeded

from client import worker
from client.admin_gateway import AdminUnavailableError
from client.config import ClientSettings
from client.replica import apply, failures, queries, state
from client.replica.contents import listed
from client.replica.documents import ProductCopy, SyncFailure
from client.replica.repair import repair
from client.store import database, mongo
from contract.messages import InvalidMessageError, ProductChanged, ProductContent
from contract.service_calls import EQUAL, REPAIRED, Repair
from runtime import logs
from tasks import products
from tests.flow.stores import CONTENT, TIMES, set_environment

pytestmark = pytest.mark.usefixtures("client_store")


def changed(product_id: int, sequence: int, title: str = "") -> ProductChanged:
    content = {**CONTENT, **TIMES, "sku": f"SKU-{product_id}", "title": title or f"v{sequence}"}
    return ProductChanged(product_id, sequence, ProductContent(**content))


def deleted(product_id: int, sequence: int) -> ProductChanged:
    return ProductChanged(product_id, sequence, None)


def stored(product_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ProductCopy._get_collection().find_one({"_id": product_id})
    return found


def test_stale_version_is_ignored() -> None:
    assert apply.apply([changed(1, 5)]) == 1
    assert apply.apply([changed(1, 3)]) == 0
    assert (stored(1)["sequence"], stored(1)["title"]) == (5, "v5")


def test_duplicate_changes_nothing() -> None:
    apply.apply([changed(1, 5)])
    before = stored(1)
    assert apply.apply([changed(1, 5)]) == 0
    assert stored(1) == before


def test_write_that_waits_for_a_dead_process_s_transaction_times_out_and_makes_no_dead_letter() -> None:
    apply.apply([changed(1, 1)])
    with mongo().start_session() as session, session.start_transaction():
        ProductCopy._get_collection().update_one({"_id": 1}, {"$inc": {"likes": 1}}, session=session)
        with _soft_time_limit(0.5):
            products._apply([changed(1, 2)], [])
    products._apply([changed(1, 2)], [])
    assert (stored(1)["sequence"], stored(1)["likes"]) == (2, 1)


@contextmanager
def _soft_time_limit(seconds: float) -> Iterator[None]:
    """What Celery's pool does to a task that takes too long."""

    def exceeded(*_: object) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, exceeded)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_resync_task_is_bounded_in_retries_and_time(
    client_store: ClientSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, client_store)
    worker.gateway.cache_clear()
    task, tries, expires = products.resync_products, 0, None
    while True:
        task.push_request(args=([1],), kwargs={}, called_directly=False, is_eager=True, retries=tries, expires=expires)
        try:
            with pytest.raises((Retry, AdminUnavailableError)) as ended:
                task([1])
        finally:
            task.pop_request()
        if not isinstance(ended.value, Retry):
            break
        tries, expires = tries + 1, ended.value.sig.options["expires"]
        assert expires == products.RESYNC_EXPIRES
        assert tries <= products.RESYNC_RETRIES
    worker.gateway.cache_clear()
    assert tries == products.RESYNC_RETRIES, "then it fails, and is a dead letter"


def test_log_lines_of_a_large_batch_add_up(caplog: pytest.LogCaptureFixture) -> None:
    apply.apply([changed(1, 5)])
    logs.configure()
    logging.getLogger(apply.__name__).addHandler(caplog.handler)
    assert apply.apply([changed(number, 5) for number in range(1, 302)]) == 300
    logging.getLogger(apply.__name__).removeHandler(caplog.handler)
    lines: list[Any] = [record.msg for record in caplog.records if record.name == apply.__name__]
    told = [(len(line["items"]), line["newer"]) for line in lines]
    assert told[-2:] == [(200, 199), (101, 101)]


def test_late_update_does_not_restore_a_deleted_product() -> None:
    apply.apply([changed(1, 1)])
    apply.apply([deleted(1, 3)])
    apply.apply([changed(1, 2)])
    assert stored(1)["deleted"] is True
    assert "title" not in stored(1)


def test_delete_that_overtakes_its_create_wins() -> None:
    apply.apply([deleted(1, 2)])
    apply.apply([changed(1, 1)])
    assert stored(1)["deleted"] is True


def test_newest_of_several_states_in_one_batch_wins() -> None:
    apply.apply([changed(1, 2), changed(1, 4), changed(1, 3), changed(2, 1)])
    assert (stored(1)["sequence"], stored(2)["sequence"]) == (4, 1)


def test_batch_writes_only_new_and_newer_states() -> None:
    apply.apply([changed(1, 1), changed(2, 5), changed(3, 5), deleted(4, 5)])
    database()["products"].update_one({"_id": 3}, {"$unset": {"sequence": ""}})  # by hand, past us
    before = [stored(2), stored(3)]
    assert apply.apply([changed(1, 2), changed(2, 4), changed(3, 9), deleted(5, 1), changed(6, 1)]) == 3
    assert (stored(1)["title"], stored(5)["deleted"], stored(6)["title"]) == ("v2", True, "v1")
    assert [stored(2), stored(3)] == before
    alone = changed(7, 1)
    apply.apply([alone])
    assert set(stored(6)) == set(stored(7)), "inserted in a batch or upserted alone: the same document"
    assert type(stored(6)["applied_at"]) is type(stored(7)["applied_at"])


def test_product_message_never_touches_likes() -> None:
    apply.apply([changed(1, 1)])
    ProductCopy._get_collection().update_one({"_id": 1}, {"$inc": {"likes": 7}})
    apply.apply([changed(1, 2)])
    assert stored(1)["likes"] == 7


def test_price_is_stored_exactly() -> None:
    apply.apply([changed(1, 1)])
    assert str(stored(1)["price"]) == "12.50"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order_from_several_workers_ends_at_the_newest(seed: int) -> None:
    chooser = random.Random(seed)
    messages = [changed(p, v) for p in range(1, 6) for v in range(1, 20)] + [deleted(5, 20)]
    messages += chooser.choices(messages, k=50)
    chooser.shuffle(messages)
    batches = [messages[start : start + 7] for start in range(0, len(messages), 7)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(apply.apply, batches))
    assert [stored(p)["sequence"] for p in range(1, 6)] == [19, 19, 19, 19, 20]
    assert stored(5)["deleted"] is True


def test_replica_states_contain_the_copy_and_the_reason_for_a_refusal() -> None:
    apply.apply([changed(1, 5)])
    failures.record(InvalidMessageError("product.price must be exact", 2, 9))
    failures.record(InvalidMessageError("nobody knows whose"))
    found = {item.id: item for item in state.replica_states([1, 2, 3])}
    assert set(found) == {1, 2}
    assert (found[1].sequence, found[1].checksum, found[1].failure) == (5, changed(1, 5).checksum, None)
    assert (found[2].sequence, found[2].failed_sequence, found[2].failure) == (
        0,
        9,
        "product.price must be exact",
    )


def test_generation_of_a_restored_admin_changes_nothing() -> None:
    assert [state.exchange_generations(7, 0, 0), state.exchange_generations(20, 0, 7)] == [0, 7]
    assert [state.exchange_generations(30, 0, 7) for _ in range(2)] == [20, 20], "it says 30 where it said 20 before"


def test_product_is_found_by_plain_letters_and_by_its_sku_however_long_its_title_is() -> None:
    apply.apply([changed(1, 1, f"𝐁𝐢𝐠 𝐒𝐚𝐥𝐞 №5 {' '.join(f'w{number}' for number in range(45))}"), changed(2, 1)])
    for q in ("big sale", "𝐁𝐢𝐠", "no5", "№5", "sku-1", "w44"):
        assert [copy.id for copy in queries.list_products(10, None, q, None, "-created_at").items] == [1], q


def test_reason_for_a_refusal_is_removed_once_the_product_is_applied() -> None:
    failures.record(InvalidMessageError("bad", 2, 9))
    apply.apply([changed(2, 10)])
    assert state.replica_states([2])[0].failure is None


def test_reason_for_a_refusal_stays_after_older_states_and_older_refusals() -> None:
    apply.apply([changed(2, 3)])
    failures.record(InvalidMessageError("newest", 2, 9))
    apply.apply([changed(2, 4)])
    apply.apply([changed(2, 2)])
    failures.record(InvalidMessageError("late", 2, 8))
    failures.record(InvalidMessageError("of no known version", 2))
    assert kept() == {2: (9, "newest")}


def test_latest_reason_for_the_same_refused_state_is_stored() -> None:
    failures.record(InvalidMessageError("only a newer release can read it", 2, 9))
    failures.record(InvalidMessageError("product.price must be exact", 2, 9))
    assert kept() == {2: (9, "product.price must be exact")}


def test_refusal_of_a_stored_or_older_state_is_not_recorded() -> None:
    apply.apply([changed(2, 9)])
    failures.record(InvalidMessageError("late", 2, 8))
    assert kept() == {}


def test_repair_deletes_the_reasons_up_to_its_state_and_no_newer_one() -> None:
    for product_id in (1, 2):
        apply.apply([changed(product_id, 5)])
        ProductCopy._get_collection().update_one({"_id": product_id}, {"$set": {"title": "edited by hand"}})
    for product_id, refused in ((1, 6), (2, 9)):
        failures.record(InvalidMessageError("refused", product_id, refused))
    seen = {entry.id: entry for entry in listed([1, 2])}
    outcomes = repair([Repair(id_, seen[id_], changed(id_, 6)) for id_ in (1, 2)])
    assert (outcomes, kept()) == ({1: REPAIRED, 2: REPAIRED}, {2: (9, "refused")})


def test_repair_of_an_equal_copy_writes_nothing() -> None:
    apply.apply([changed(1, 5)])
    before = stored(1)
    assert repair([Repair(1, listed([1])[0], changed(1, 5))]) == {1: EQUAL}
    assert stored(1) == before


def kept() -> dict[int, tuple[int, str]]:
    """The reasons for refusals: product → sequence refused, reason."""
    return {doc["_id"]: (doc["sequence"], doc["reason"]) for doc in SyncFailure._get_collection().find()}


def test_restored_client_reports_the_restore_until_admin_acknowledged_it() -> None:
    assert [state.exchange_generations(mark, 0, mark - 1) for mark in (1, 2, 3)] == [0, 1, 2]
    database()["sync_generations"].update_one({"_id": "admin"}, {"$set": {"generation": 1}})  # as a restore does
    assert [state.exchange_generations(4, epoch, 3) for epoch in (0, 0, 2)] == [1, 1, 1], "an answer may get lost"
    database()["sync_generations"].delete_many({})  # or into an empty store
    assert [state.exchange_generations(4, 2, 3) for _ in range(2)] == [0, 0]
    assert database()["sync_generations"].find_one({"_id": "admin"}) == {"_id": "admin", "generation": 0, "epoch": 2}
    assert [state.exchange_generations(4, 2, -1), state.exchange_generations(5, 2, 4)] == [0, 4], (
        "after recovery it goes on"
    )
