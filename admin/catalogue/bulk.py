"""Writes products in one transaction, in a number of statements that does not grow with them.

Single changes, batches and imports share it. The caller begins the transaction, decides what becomes of each product,
and commits.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue import search_terms
from admin.catalogue.messages import message_of
from admin.catalogue.models import Product, ProductRow
from admin.db import writes
from admin.db.engine import retry_deadlocks, table
from admin.db.extensions import db
from admin.db.writes import insert_rows, upsert_rows
from admin.outbox import outbox
from contract import causation
from contract.messages import ProductChanged
from contract.versions import compose

P = ParamSpec("P")
R = TypeVar("R")

CREATED, UPDATED, DELETED, RESTORED = "created", "updated", "deleted", "restored"  # kinds of changes
TRIES = 5
_NEW = 0  # the id of a product that is not stored yet
_COLUMNS = table(Product).columns
_INSERT = insert(table(Product))
_OF_NEW = ("sku", "live_sku", "title", "description", "price", "currency", "category", "image_url")


def retry_races(use_case: Callable[P, R]) -> Callable[P, R]:
    """Repeat a use case from its start where another transaction got in its way: it ended in a deadlock, or took one
    of the skus after they were looked up. The next try finds it.
    """

    @retry_deadlocks
    @wraps(use_case)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for tries_left in reversed(range(TRIES)):
            try:
                return use_case(*args, **kwargs)
            except IntegrityError:
                db.session.rollback()
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    return wrapper


def ids_of(skus: Collection[str]) -> dict[str, int]:
    """Return the ids of the live products that have ``skus``, by sku. Locks nothing."""
    if not skus:
        return {}
    query = select(_COLUMNS.live_sku, _COLUMNS.id).where(_COLUMNS.live_sku.in_(skus))
    return dict(db.session.connection().execute(query).tuples().all())


def lock(ids: Collection[int]) -> dict[int, ProductRow]:
    """Lock the products ``ids``, in their order against deadlocks; return those that exist, deleted ones too."""
    if not ids:
        return {}
    query = select(*_COLUMNS).where(_COLUMNS.id.in_(ids)).order_by(_COLUMNS.id).with_for_update()
    return {row.id: ProductRow._make(row) for row in db.session.connection().execute(query)}


def created(content: Mapping[str, Any], write: outbox.WriteContext) -> ProductRow:
    """Return the new product with ``content``, of every CONTENT_FIELDS key."""
    return ProductRow(
        id=_NEW,
        live_sku=content["sku"],
        created_at=write.now,
        updated_at=write.now,
        deleted_at=None,
        version=1,
        **content,
    )


def differing(product: ProductRow, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``changes`` that change ``product``."""
    return {name: value for name, value in changes.items() if getattr(product, name) != value}


def updated(product: ProductRow, changes: Mapping[str, Any], write: outbox.WriteContext) -> ProductRow:
    """Return a live ``product`` after ``changes``."""
    sku = changes.get("sku", product.sku)
    return product._replace(**changes, live_sku=sku, updated_at=write.now, version=product.version + 1)


def restored(product: ProductRow, changes: Mapping[str, Any], write: outbox.WriteContext) -> ProductRow:
    """Return a deleted ``product`` after its restore with ``changes``."""
    return updated(product, changes, write)._replace(deleted_at=None)


def deleted(product: ProductRow, write: outbox.WriteContext) -> ProductRow:
    """Return ``product`` after its delete."""
    return product._replace(live_sku=None, deleted_at=write.now, updated_at=write.now, version=product.version + 1)


def store(
    new: Sequence[ProductRow],
    changed: Iterable[tuple[ProductRow, ProductRow]],
    write: outbox.WriteContext,
    author: str,
    lane: str,
) -> list[ProductChanged]:
    """Store ``new`` products and ``changed`` ones, each before and after its change, which must be locked.

    Makes them pending on ``lane`` and returns their messages, of new ones first. Raises IntegrityError where a sku is
    taken.
    """
    pairs = sorted(changed, key=lambda pair: pair[1].id)  # every transaction locks in this order
    stored, after = _insert(new), [row for _before, row in pairs]
    kinds = [CREATED] * len(stored) + [_kind(before, row) for before, row in pairs]
    cause = causation.current()
    messages = [message_of(row, compose(write.epoch, row.version), cause) for row in (*stored, *after)]
    if messages:
        writes.execute(
            *([upsert_rows(Product, ProductRow._fields, after)] if after else []),
            *search_terms.writes(stored, [row for before, row in pairs if _searched(before) != _searched(row)]),
            *outbox.writes(list(zip(messages, kinds, strict=True)), write, author, lane),
        )
    return messages


def _kind(before: ProductRow, after: ProductRow) -> str:
    if after.deleted_at:
        return DELETED
    return RESTORED if before.deleted_at else UPDATED


_searched = attrgetter(*search_terms.FIELDS)


def _insert(new: Sequence[ProductRow]) -> list[ProductRow]:
    """Insert ``new`` products; return them with their ids."""
    if not new:
        return []
    same = {name: getattr(new[0], name) for name in ("created_at", "updated_at", "version")}
    rows = list(map(attrgetter(*_OF_NEW), new))
    if len(new) == 1:
        row = {**dict(zip(_OF_NEW, rows[0], strict=True)), **same}
        return [new[0]._replace(id=db.session.connection().execute(_INSERT, row).lastrowid)]
    writes.execute(insert_rows(Product, _OF_NEW, rows, same))
    ids = ids_of([row.sku for row in new])  # the server tells the first one alone
    return [row._replace(id=ids[row.sku]) for row in new]
