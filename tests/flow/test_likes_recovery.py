"""After a backup came back, a hand touched a store, or an account was erased: both sides tell the same story again."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert, select

from admin.catalogue.service import ANY_VERSION, delete_product
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from client.accounts import erasure
from client.accounts import service as accounts
from client.admin_gateway import AdminGateway
from client.cli.likes import likes
from client.likes import breaker, drain, parked, recovery
from client.likes.diff import CHUNK, LEAF
from client.likes.documents import Like
from client.replica.documents import ProductCopy
from client.store import database
from contract.messages import LikeChanged
from contract.service_calls import LikeOutcome
from runtime.cli.commands import LazyCommand
from tests.flow.likes_both_sides import BothSides
from tests.flow.stores import set_environment

Command = Callable[..., Result]
_LIKED = (ProductLike.product_id == LikeCount.product_id, ProductLike.liked)


@pytest.fixture
def run(sides: BothSides, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return what runs ``lockstep likes …`` in this process."""
    set_environment(monkeypatch, sides.settings)
    return lambda *arguments: CliRunner().invoke(likes, arguments)


def diff(run: Command, *options: str) -> tuple[int, dict[str, Any]]:
    result = run("diff", "--json", *options)
    assert result.stdout, result.exception
    return result.exit_code, json.loads(result.stdout)


def backup() -> dict[str, list[dict[str, Any]]]:
    return {name: list(database()[name].find()) for name in ("likes", "products", "sync_generations")}


def restore(saved: dict[str, list[dict[str, Any]]]) -> None:
    for name, documents in saved.items():
        database()[name].delete_many({})
        if documents:
            database()[name].insert_many(documents)


def raise_epoch(epoch: int = 1) -> None:
    """As Admin's next verify tells after a recovery."""
    database()["sync_generations"].update_one({"_id": "admin"}, {"$max": {"epoch": epoch}}, upsert=True)


def tell_again(sides: BothSides) -> None:
    while recovery.progress():
        sides.forward()
    sides.settle()


# --- restored from a backup -------------------------------------------------------------------------------


def test_restored_shop_copies_newer_likes_from_admin(sides: BothSides) -> None:
    product = sides.new_product()
    for user in ("ann", "bob", "cho"):
        sides.like(user, product)
    sides.settle()
    saved = backup()
    sides.like("ann", product, False)
    sides.settle()
    restore(saved)
    assert (product, "ann") in sides.shop_set()
    raise_epoch()
    tell_again(sides)
    sides.assert_equal({(product, "bob"), (product, "cho")})
    assert sides.document("ann", product)["revision"] == 2


def test_likes_changed_after_the_restore_win(sides: BothSides) -> None:
    """Also what they changed before the recovery was noticed, and sent before or after."""
    product = sides.new_product()
    for user in ("early", "late", "still"):
        sides.like(user, product)
    sides.settle()
    saved = backup()
    for user in ("early", "late", "still"):
        sides.like(user, product, False)
        sides.like(user, product)
        sides.like(user, product, False)
        sides.like(user, product)
    sides.settle()
    restore(saved)
    sides.like("early", product, False)
    sides.forward()
    sides.like("late", product, False)
    raise_epoch()
    tell_again(sides)
    sides.assert_equal({(product, "still")})


def test_change_after_the_restore_clears_restored(sides: BothSides) -> None:
    product = sides.new_product()
    sides.like("ann", product)
    sides.settle()
    raise_epoch()
    recovery.next_chunk()
    assert sides.document("ann", product)["restored"] is True
    sides.like("ann", product, False)
    assert "restored" not in sides.document("ann", product)
    tell_again(sides)
    sides.assert_equal(set())


@pytest.mark.parametrize("noticed", [True, False])
def test_like_that_was_pending_in_the_backup_does_not_revert_a_newer_one(sides: BothSides, noticed: bool) -> None:
    product = sides.new_product()
    sides.like("ann", product)
    saved = backup()
    sides.settle()
    sides.like("ann", product, False)
    sides.settle()
    restore(saved)
    if noticed:
        raise_epoch()
    tell_again(sides)
    sides.assert_equal(set())


def test_restored_admin_gets_every_like_again(sides: BothSides) -> None:
    products = [sides.new_product() for _ in range(3)]
    for product in products:
        for user in ("ann", "bob"):
            sides.like(user, product)
    sides.settle()
    db.session.query(ProductLike).filter_by(user="bob").delete()
    db.session.query(ProductLike).filter_by(product_id=products[0]).delete()
    db.session.query(LikeCount).update({"likes": select(func.count()).where(*_LIKED).scalar_subquery()})
    db.session.commit()
    raise_epoch()
    tell_again(sides)
    sides.assert_equal({(product, user) for product in products for user in ("ann", "bob")})


def test_answer_from_before_a_restore_of_admin_does_not_leave_the_like_out(sides: BothSides) -> None:
    """A drain that hangs with Admin's answer until Admin was restored and all likes were sent again."""
    product = sides.new_product()
    sides.like("ann", product)

    class Hanging:
        """Returns Admin's first answer after the restore."""

        restored = False

        def send_likes(self, likes: Sequence[LikeChanged]) -> Sequence[LikeOutcome]:
            outcomes = sides.gateway.send_likes(likes)
            if not self.restored:
                self.restored = True
                for model in (ProductLike, LikeCount):  # the backup is older than the like
                    db.session.query(model).delete()
                db.session.commit()
                raise_epoch()
                while recovery.next_chunk():
                    pass
            return outcomes

    drain.drain(cast(AdminGateway, Hanging()))
    sides.settle()
    sides.assert_equal({(product, "ann")})


def test_recovery_resumes_after_a_crash_in_chunks_of_bounded_size(sides: BothSides) -> None:
    now, product = datetime.now(UTC), sides.new_product()
    Like._get_collection().insert_many(
        {"_id": f"{product}:u{n}", "product": product, "user": f"u{n}", "liked": True, "revision": 1, "at": now}
        for n in range(recovery.CHUNK + 20)
    )
    raise_epoch()
    assert recovery.next_chunk()
    assert sides.waiting() == (recovery.CHUNK, 0)
    # Settled, and then the process ends.
    Like._get_collection().update_many({}, {"$unset": {"pending": "", "restored": ""}})
    assert recovery.next_chunk()
    assert sides.waiting() == (20, 0)
    sides.settle()
    assert not recovery.next_chunk()
    assert recovery.progress() is None
    assert len(sides.admin_set()) == 20
    raise_epoch(2)
    assert recovery.next_chunk()


def test_parked_likes_are_sent_again_after_a_recovery(sides: BothSides) -> None:
    product = sides.new_product()
    sides.like("ann", product)
    Like._get_collection().update_one(
        {}, {"$set": {"parked": "Admin never had the product"}, "$unset": {"pending": ""}}
    )
    raise_epoch()
    tell_again(sides)
    sides.assert_equal({(product, "ann")})


# --- comparing and repairing --------------------------------------------------------------------------------


def test_equal_sides_are_equal_and_pending_or_parked_likes_are_no_drift(sides: BothSides, run: Command) -> None:
    product = sides.new_product()
    assert diff(run)[0] == 0
    for user in ("ann", "bob"):
        sides.like(user, product)
    sides.settle()
    sides.like("ann", product, False)
    sides.like("new", product)
    sides.like("ann", 999_999)
    Like._get_collection().update_one({"product": 999_999}, {"$set": {"parked": "unknown"}, "$unset": {"pending": ""}})
    assert diff(run) == (0, {**diff(run)[1], "equal": True, "likes": {}})
    assert "Both sides" in run("diff").stdout


def test_every_kind_of_drift_is_found_and_repaired(sides: BothSides, run: Command) -> None:
    product, other = sides.new_product(), sides.new_product()
    users = ("equal", "lost at Admin", "older at Admin", "lost here", "older here", "other state")
    for user in users:
        for liked in (True, False, True):
            sides.like(user.replace(" ", "-"), product, liked)
    sides.settle()
    db.session.query(ProductLike).filter_by(user="lost-at-Admin").delete()
    db.session.query(ProductLike).filter_by(user="older-at-Admin").update({"revision": 2, "liked": False})
    db.session.query(ProductLike).filter_by(user="older-here").update({"revision": 5, "liked": False})
    db.session.query(ProductLike).filter_by(user="other-state").update({"liked": False})
    db.session.query(LikeCount).filter_by(product_id=product).update({"likes": 77})
    db.session.commit()
    Like._get_collection().delete_one({"user": "lost-here"})
    ProductCopy._get_collection().update_one({"_id": other}, {"$set": {"likes": -3}})

    code, found = diff(run)
    assert (code, found["equal"]) == (3, False)
    assert found["likes"] == {
        "missing at Admin": 1,
        "older at Admin": 1,
        "missing at the Client": 1,
        "older at the Client": 1,
        "different at the same revision": 1,
    }
    assert (found["counts_at_client"], found["counts_at_admin"]) == (2, 1)
    assert "1 likes are older at the Client" in run("diff").stdout
    assert diff(run, "--repair")[0] == 0
    sides.settle()
    sides.assert_equal({(product, user.replace(" ", "-")) for user in users if user != "older here"})
    assert diff(run)[0] == 0


def test_likes_that_only_admin_has_are_copied_with_revision_and_time(sides: BothSides, run: Command) -> None:
    product = sides.new_product()
    since = datetime(2026, 11, 1, 8, tzinfo=UTC)
    rows = [
        {
            "product_id": product,
            "user": f"u{n}",
            "revision": 3,
            "liked": n % 7 > 0,
            "received_at": since.replace(tzinfo=None),
        }
        for n in range(510)  # more than one page
    ]
    db.session.execute(insert(ProductLike), rows)
    db.session.add(LikeCount(product_id=product, likes=sum(bool(row["liked"]) for row in rows)))
    db.session.commit()
    code, found = diff(run, "--repair")
    assert (code, found["likes"]) == (0, {"missing at the Client": 510})
    sides.settle()
    sides.assert_equal({(product, str(row["user"])) for row in rows if row["liked"]})
    document = sides.document("u0", product)
    assert (document["revision"], document["liked"], document["at"]) == (3, False, since)


def test_drift_of_a_missing_product_is_reported_but_not_repaired(sides: BothSides, run: Command) -> None:
    product = sides.new_product()
    sides.like("ann", product)
    sides.settle()
    Like._get_collection().delete_many({})
    ProductCopy._get_collection().delete_many({})
    code, found = diff(run, "--repair")
    assert (code, found["unrepaired"]) == (3, 1)


def test_inconsistent_likes_are_counted_again(sides: BothSides, run: Command) -> None:
    product = sides.new_product()
    for user in ("ann", "bob"):
        sides.like(user, product)
    sides.settle()
    Like._get_collection().update_one({"user": "ann"}, {"$set": {"counted": False}})
    assert diff(run)[0] == 3
    assert diff(run, "--repair")[0] == 0
    sides.assert_equal({(product, "ann"), (product, "bob")})


def test_large_sets_are_compared_by_few_calls_where_they_are_equal(sides: BothSides, run: Command) -> None:
    product = sides.new_product()
    now = datetime.now(UTC)
    rows = [
        {"product_id": product, "user": f"u{n:05}", "revision": 1, "liked": True, "received_at": now}
        for n in range(CHUNK + 400)
    ]
    db.session.execute(insert(ProductLike), rows)
    db.session.add(LikeCount(product_id=product, likes=len(rows)))
    db.session.commit()
    Like._get_collection().insert_many(
        {
            "_id": f"{product}:{r['user']}",
            "product": product,
            "user": r["user"],
            "liked": True,
            "revision": 1,
            "at": now,
        }
        | {"counted": True}
        for r in rows
    )
    ProductCopy._get_collection().update_one({"_id": product}, {"$set": {"likes": len(rows)}})
    sides.server.calls = 0
    assert diff(run)[0] == 0
    assert sides.server.calls == 3  # two digests, one page of counts
    db.session.query(ProductLike).filter_by(user="u01234").update({"liked": False})
    db.session.commit()
    sides.server.calls = 0
    assert diff(run)[1]["likes"] == {"different at the same revision": 1}
    assert sides.server.calls <= 3 + CHUNK // LEAF + 3  # a digest per part, and one part looked into


def test_commands_exit_with_4_while_admin_is_down(sides: BothSides, run: Command) -> None:
    sides.server.mood = 503
    assert run("diff").exception
    command = LazyCommand("likes", "client.cli.likes:likes", "Likes.")
    assert CliRunner().invoke(command, ["diff"]).exit_code == 4


# --- status and retry -------------------------------------------------------------------------------------


def test_status_shows_pending_likes_and_the_reason(sides: BothSides, run: Command) -> None:
    product, gone = sides.new_product(), sides.new_product()
    assert json.loads(run("status", "--json").stdout)["last_forwarded_at"] is None
    sides.like("ann", gone)
    delete_product(gone, ANY_VERSION, "test")
    sides.settle()
    sides.like("ann", product)
    Like._get_collection().update_one(
        {"product": product}, {"$set": {"since": datetime.now(UTC) - timedelta(seconds=90)}}
    )
    sides.server.mood, sides.server.headers = 500, {"Retry-After": "300"}
    with pytest.raises(drain.RetryLaterError):
        sides.forward()
    shown = json.loads(run("status", "--json").stdout)
    assert (shown["pending"], shown["uncounted"], shown["parked"]) == (1, 1, {"the product is deleted": 1})
    assert 90 <= shown["oldest_pending_seconds"] < 120
    assert (shown["breaker"], shown["failures"], shown["last_failure"]) == ("open", 1, "Admin answered 500")
    assert shown["next_probe_at"] > shown["failing_since"] > shown["last_forwarded_at"]
    text = run("status").stdout
    assert "the oldest for 9" in text
    assert "1: the product is deleted" in text


def test_parked_likes_are_retried_and_parked_again_when_refused(sides: BothSides, run: Command) -> None:
    product, gone = sides.new_product(), sides.new_product()
    for target in (product, gone):
        sides.like("ann", target)
    Like._get_collection().update_many({}, {"$set": {"parked": "a mistake"}, "$unset": {"pending": ""}})
    delete_product(gone, ANY_VERSION, "test")
    assert "2 likes are pending again" in run("retry").stderr
    sides.settle()
    assert sides.admin_set() == {(product, "ann")}
    assert parked.reasons() == {"the product is deleted": 1}


def test_breaker_opened_by_a_wrong_clock_does_not_stay_open(sides: BothSides) -> None:
    assert sides.waiting() == (0, 0)
    breaker.failed(300)
    assert not breaker.may_call()
    database()["breakers"].update_one({}, {"$set": {"not_before": datetime.now(UTC) + timedelta(days=400)}})
    assert breaker.may_call()


# --- erasure ----------------------------------------------------------------------------------------------


def test_erased_shopper_leaves_unlikes_on_both_sides(sides: BothSides) -> None:
    alive, gone = sides.new_product(), sides.new_product()
    ann = accounts.sign_up("ann@example.com", "a password of some length")
    for product in (alive, gone):
        sides.like(ann.id, product)
        sides.like("bob", product)
    sides.settle()
    delete_product(gone, ANY_VERSION, "test")
    assert erasure.erase_email("Ann@example.com")
    sides.settle()
    sides.assert_equal({(alive, "bob"), (gone, "bob")})
    assert sides.admin_rows()[alive, ann.id] == sides.admin_rows()[gone, ann.id] == (2, False)
    assert database()["shoppers"].count_documents({}) == 0
    assert not erasure.erase_email("ann@example.com")
    assert accounts.sign_up("ann@example.com", "a password of some length").id != ann.id


def test_erasure_resumes_after_a_crash_and_clears_a_like_of_the_last_request(sides: BothSides) -> None:
    product = sides.new_product()
    ann = accounts.sign_up("ann@example.com", "a password of some length")
    sides.like(ann.id, product)
    # What a crash leaves right after the first write: the record.
    database()["erasures"].insert_one({"_id": ann.id, "at": datetime.now(UTC)})
    assert erasure.resume() == 1
    assert database()["shoppers"].count_documents({}) == 0
    sides.like(ann.id, product)  # by a request that was signed in before
    assert erasure.resume() == 1
    sides.settle()
    sides.assert_equal(set())
    database()["erasures"].update_one({}, {"$set": {"at": datetime.now(UTC) - 2 * erasure.LAST_REQUESTS}})
    assert erasure.resume() == 0
    assert database()["erasures"].count_documents({}) == 0
