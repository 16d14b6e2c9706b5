"""Random schedules of the real functions, compared with the reference after each step."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from admin.catalogue import service
from admin.catalogue.messages import current_messages
from admin.catalogue.models import Product
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from admin.likes.service import apply_likes
from admin.outbox import repair
from admin.outbox.models import FRESH, SENT, STUCK, VERIFIED, Replication
from admin.relay import claims
from admin.relay.verify import verify
from client.likes import apply_outcomes, count, drain
from client.likes import service as likes
from client.likes.documents import Like
from client.replica import apply
from client.replica.documents import ProductCopy
from contract.messages import LikeChanged, ProductChanged
from contract.names import INTERACTIVE
from contract.service_calls import LikeOutcome, Repair
from contract.versions import version_of
from tests.flow.stores import CONTENT, unique_name
from tests.model.reference import Key, Likes, Products, State

PRODUCTS, USERS = 3, ("ada", "bob")
STEPS = 60  # of one schedule
_LONG_AGO = datetime(2001, 1, 1)  # noqa: DTZ001 - naive UTC


class Schedule:
    """One schedule: every process's steps, in the order that ``seed`` chooses. Needs both stores."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._products, self._likes = Products(), Likes()
        self._broker: list[ProductChanged] = []
        self._claimed: list[list[Replication]] = []
        self._verdicts: list[tuple[Repair, State]] = []
        self._batches: list[list[LikeChanged]] = []
        self._answers: list[tuple[list[LikeChanged], list[LikeOutcome]]] = []
        self.trace: list[str] = []

    def run(self, steps: int = STEPS) -> None:
        """Run ``steps`` steps. Raises AssertionError where the stores differ from the reference."""
        for _ in range(steps):
            choices: list[Callable[[], object]] = [self._change, self._publish]
            choices += [self._deliver, self._lose] if self._broker else []
            choices += [self._verify] if self._claimed else [self._claim]
            choices += [self._repair] if self._verdicts else []
            if self._living():
                choices += [self._click, self._click, self._edit]
            choices += [self._count, self._read_pending]
            choices += [self._send] if self._batches else []
            choices += [self._answer] if self._answers else []
            step = self._random.choice(choices)
            self.trace.append(step.__name__)
            step()
            self._compare()

    def _change(self) -> None:
        """A1: create, update, delete or restore."""
        known, title = list(self._products.product), unique_name()
        if len(known) < PRODUCTS:
            content: dict[str, Any] = {**CONTENT, "sku": unique_name(), "title": title, "price": Decimal("1.50")}
            id_ = service.create_product(content, "test").id
        else:
            id_ = self._random.choice(known)
            if self._products.product[id_][1] is None:
                service.restore_product(id_, service.ANY_VERSION, "test", {"title": title})
            elif self._random.random() < 0.3:
                service.delete_product(id_, service.ANY_VERSION, "test")
                self._products.change(id_, None)
                return
            else:
                service.update_product(id_, {"title": title}, service.ANY_VERSION, "test")
        self._products.change(id_, title)

    def _publish(self) -> None:
        """A2 and A3: current states reach the broker, in any number."""
        self._broker += current_messages(list(self._products.product))

    def _deliver(self) -> None:
        """A4 and A5: a batch in any order; some messages stay and are delivered again."""
        batch = self._random.sample(self._broker, min(len(self._broker), self._random.randint(1, 3)))
        apply.apply(batch)
        newest: dict[int, ProductChanged] = {}
        for message in batch:
            if message.id not in newest or newest[message.id].sequence < message.sequence:
                newest[message.id] = message
            if self._random.random() < 0.6:
                self._broker.remove(message)
        for message in newest.values():
            self._products.deliver(message.id, _state(message))

    def _lose(self) -> None:
        self._broker.pop(self._random.randrange(len(self._broker)))

    def _edit(self) -> None:
        id_ = self._random.choice(self._living())
        ProductCopy._get_collection().update_one({"_id": id_}, {"$set": {"title": "edited by hand"}})
        self._products.edit(id_)
        self._products.verified.discard(id_)
        # as the scheduled check does once it has seen the drift
        db.session.execute(
            update(Replication).where(Replication.product_id == id_).values(state=FRESH, due_at=utc_now())
        )
        db.session.commit()

    def _claim(self) -> None:
        """A3: claim due rows; all are due."""
        db.session.execute(update(Replication).where(Replication.state != VERIFIED).values(due_at=_LONG_AGO))
        db.session.commit()
        states = self._random.choice([(FRESH,), (SENT, STUCK)])
        if rows := claims.claim(INTERACTIVE, states, self._random.randint(1, PRODUCTS)):
            self._claimed.append(rows)
            self._seen = {row.product_id: self._products.product[row.product_id] for row in rows}

    def _verify(self) -> None:
        """A6, maybe long after the claim: the rows may have changed meanwhile."""
        rows = self._claimed.pop()
        verdict = verify(rows, INTERACTIVE)
        for row in rows:
            self._products.verify(row.product_id, self._seen[row.product_id])
        wanted = {message.id: message for message in current_messages([row.product_id for row in verdict.differing])}
        self._verdicts += [
            (Repair(id_, verdict.seen[id_], message), self._products.copy[id_]) for id_, message in wanted.items()
        ]
        self._broker += current_messages([row.product_id for row in verdict.missing])

    def _repair(self) -> None:
        """Repair one copy, maybe long after it was seen, and maybe once more."""
        wanted, seen = self._random.choice(self._verdicts)
        if self._random.random() < 0.7:
            self._verdicts.remove((wanted, seen))
        repair.repair([wanted])
        assert wanted.state
        self._products.repair(wanted.id, seen, _state(wanted.state))

    def _click(self) -> None:
        """L1."""
        key, liked = (self._random.choice(self._living()), self._random.choice(USERS)), self._random.random() < 0.5
        likes._toggle(*key, liked)
        self._likes.click(key, liked)

    def _count(self) -> None:
        """L3: then the shown counts are the sizes of the sets."""
        count.count()
        for copy in ProductCopy._get_collection().find():
            liked = sum(is_liked for (id_, _user), (is_liked, _rev) in self._likes.here.items() if id_ == copy["_id"])
            assert copy["likes"] == liked

    def _read_pending(self) -> None:
        """L2."""
        if batch := drain._pending(self._random.randint(1, 4)):
            self._batches.append(batch)

    def _send(self) -> None:
        """L4 and L5: Admin applies a batch, maybe an old one, maybe twice."""
        batch = self._random.choice(self._batches)
        if self._random.random() < 0.7:
            self._batches.remove(batch)
        outcomes = apply_likes(batch)
        for like, outcome in zip(batch, outcomes, strict=True):
            living = self._products.product[like.product][1] is not None
            assert outcome.outcome == self._likes.arrive(_key(like), like.liked, like.revision, living)
        self._answers.append((batch, outcomes))

    def _answer(self) -> None:
        """L6: an answer is applied in any order, maybe twice, or lost."""
        answer = self._random.choice(self._answers)
        if self._random.random() < 0.7:
            self._answers.remove(answer)
        if self._random.random() < 0.1:
            return
        apply_outcomes.apply(*answer)
        for like, outcome in zip(*answer, strict=True):
            same = outcome.outcome == "applied" or (outcome.revision, outcome.liked) == (like.revision, like.liked)
            if outcome.outcome != "superseded" or same or outcome.liked == like.liked:
                self._likes.answer(_key(like), like.revision, same, outcome.outcome)

    def _living(self) -> list[int]:
        return [id_ for id_, (_version, title) in self._products.copy.items() if title is not None]

    def _compare(self) -> None:
        """Compare both stores with the reference."""
        rows = db.session.execute(select(Product.id, Product.version, Product.title, Product.deleted_at)).all()
        states = dict(db.session.execute(select(Replication.product_id, Replication.state)).tuples().all())
        assert {id_: (version, None if gone else title) for id_, version, title, gone in rows} == self._products.product
        assert {id_ for id_, state in states.items() if state == VERIFIED} == self._products.verified
        copies = ProductCopy._get_collection().find()
        assert {c["_id"]: (version_of(c["sequence"]), c.get("title")) for c in copies} == self._products.copy
        here = list(Like._get_collection().find())
        assert {(d["product"], d["user"]): (d["liked"], d["revision"]) for d in here} == self._likes.here
        assert {(d["product"], d["user"]) for d in here if d.get("pending")} == self._likes.pending
        assert {(d["product"], d["user"]) for d in here if d.get("parked")} == self._likes.parked
        self._compare_likes_at_admin()
        db.session.rollback()

    def _compare_likes_at_admin(self) -> None:
        there = db.session.execute(
            select(ProductLike.product_id, ProductLike.user, ProductLike.liked, ProductLike.revision)
        ).all()
        assert {(id_, user): (liked, revision) for id_, user, liked, revision in there} == self._likes.admin
        for id_, counted in db.session.execute(select(LikeCount.product_id, LikeCount.likes)).tuples():
            assert counted == sum(liked for (product, _user), (liked, _) in self._likes.admin.items() if product == id_)


def _key(like: LikeChanged) -> Key:
    return like.product, like.user


def _state(message: ProductChanged) -> State:
    return version_of(message.sequence), message.product.title if message.product else None


def empty(tables: Sequence[Any]) -> None:
    """Empty both stores between two schedules."""
    for table in tables:
        db.session.execute(table.__table__.delete())
    db.session.commit()
    for collection in (ProductCopy._get_collection(), Like._get_collection()):
        collection.delete_many({})
