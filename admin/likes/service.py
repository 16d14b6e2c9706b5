"""Applies batches of likes. A like counts once per shopper and product, also when it arrives twice or late."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import case, select, tuple_, update

from admin.catalogue.models import Product
from admin.db.engine import retry_deadlocks, upsert, utc_now
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from contract import causation
from contract.messages import LikeChanged
from contract.service_calls import APPLIED, GONE, SUPERSEDED, UNKNOWN, LikeOutcome

log = structlog.get_logger(__name__)


@retry_deadlocks
def apply_likes(likes: Sequence[LikeChanged]) -> list[LikeOutcome]:
    """Apply ``likes`` in one transaction; return an outcome for each, in their order.

    Count rows are locked first and in product order, so that two batches cannot deadlock.
    """
    living = _living({like.product for like in likes})
    make_counts(list(living))
    lock_counts(list(living))
    states = _stored_states(likes)
    outcomes = [_apply(like, living, states) for like in likes]
    _store(likes, outcomes, states)
    db.session.commit()
    causation.log_items(log, "likes applied", likes, outcomes=dict(Counter(outcome.outcome for outcome in outcomes)))
    return outcomes


def _living(product_ids: set[int]) -> dict[int, bool]:
    """Return whether each product is alive; products that Admin never had are missing."""
    rows = db.session.execute(select(Product.id, Product.deleted_at).where(Product.id.in_(product_ids)))
    return {product_id: deleted_at is None for product_id, deleted_at in rows}


def make_counts(product_ids: list[int]) -> None:
    """Insert the missing count rows of products, in a transaction of its own.

    An insert that finds its row takes a shared lock on it. In one transaction with ``lock_counts``, two batches would
    each wait for the other's.
    """
    known = select(LikeCount.product_id).where(LikeCount.product_id.in_(product_ids))
    missing = sorted(set(product_ids) - set(db.session.execute(known).scalars()))
    if missing:
        rows = [{"product_id": product_id, "likes": 0} for product_id in missing]
        db.session.execute(upsert(LikeCount, rows, lambda _new: {}))
    db.session.commit()


def lock_counts(product_ids: list[int]) -> None:
    ordered = select(LikeCount.product_id).where(LikeCount.product_id.in_(product_ids))
    db.session.execute(ordered.order_by(LikeCount.product_id).with_for_update()).all()


@dataclass(slots=True)
class _State:
    revision: int
    liked: bool
    stored: bool  # whether the table, and so the count, has it as liked
    received_at: datetime | None = None


def _stored_states(likes: Sequence[LikeChanged]) -> dict[tuple[int, str], _State]:
    keys = [(like.product, like.user) for like in likes]
    query = select(*ProductLike.__table__.columns).where(tuple_(ProductLike.product_id, ProductLike.user).in_(keys))
    rows = db.session.execute(query)
    return {(row.product_id, row.user): _State(row.revision, row.liked, row.liked, row.received_at) for row in rows}


def _apply(like: LikeChanged, living: dict[int, bool], states: dict[tuple[int, str], _State]) -> LikeOutcome:
    key = (like.product, like.user)
    state = states.get(key)
    if like.product not in living:
        return LikeOutcome(UNKNOWN)
    if state and state.revision >= like.revision:
        return LikeOutcome(SUPERSEDED, state.revision, state.liked, received_at=state.received_at)
    if like.liked and not living[like.product]:
        return LikeOutcome(GONE, state.revision if state else 0, state.liked if state else False)
    states[key] = _State(like.revision, like.liked, state.stored if state else False)
    return LikeOutcome(APPLIED, like.revision, like.liked)


def _store(likes: Sequence[LikeChanged], outcomes: list[LikeOutcome], states: dict[tuple[int, str], _State]) -> None:
    applied = {
        (like.product, like.user): states[like.product, like.user]
        for like, outcome in zip(likes, outcomes, strict=True)
        if outcome.outcome == APPLIED
    }
    if not applied:
        return
    now = db.session.execute(select(utc_now())).scalar_one()
    rows: list[dict[str, Any]] = [
        {"product_id": product, "user": user, "revision": state.revision, "liked": state.liked, "received_at": now}
        for (product, user), state in sorted(applied.items())
    ]
    db.session.execute(
        upsert(
            ProductLike,
            rows,
            lambda new: {"revision": new.revision, "liked": new.liked, "received_at": new.received_at},
        )
    )
    _count(applied)


def _count(applied: dict[tuple[int, str], _State]) -> None:
    """Add the net changes of ``applied`` to the counts, in one statement."""
    net: Counter[int] = Counter()
    for (product, _user), state in applied.items():
        net[product] += state.liked - state.stored
    changes = {product: change for product, change in net.items() if change}
    if changes:
        added = LikeCount.likes + case(changes, value=LikeCount.product_id, else_=0)
        changed = update(LikeCount).where(LikeCount.product_id.in_(changes)).values(likes=added)
        db.session.execute(changed.execution_options(synchronize_session=False))
