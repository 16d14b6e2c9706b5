"""Creates, updates, deletes and restores products; makes each change pending in the same transaction."""

from collections.abc import Callable, Container, Mapping
from http import HTTPStatus
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue import bulk
from admin.catalogue.images import service as images
from admin.catalogue.models import Product, ProductRow
from admin.db.engine import retry_deadlocks, table
from admin.db.extensions import db
from admin.outbox import eager_publisher, outbox
from contract.currencies import too_exact
from contract.names import INTERACTIVE
from web.http.problems import ProblemError


class ProductNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND


class SkuTakenError(ProblemError):
    status = HTTPStatus.CONFLICT


class WrongPriceError(ProblemError):
    """The price has more decimals than its currency, after a change of either."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class StaleVersionError(ProblemError):
    """The product has none of the versions that the caller expects, as another change was saved."""

    status = HTTPStatus.PRECONDITION_FAILED


class _AnyVersion(Container[int]):
    def __contains__(self, version: object) -> bool:
        return True


ANY_VERSION = _AnyVersion()  # only for explicit use, never a default for a missing version


# Called with the product before the commit: writes more in the same transaction, or reads what the answer shows. An
# error after the commit would suggest that nothing had been saved.
BeforeCommit = Callable[[ProductRow], object]


def _do_nothing(_product: ProductRow) -> None: ...


@retry_deadlocks
def create_product(content: dict[str, Any], author: str, before_commit: BeforeCommit = _do_nothing) -> ProductRow:
    """Create a product from validated ``content`` (every CONTENT_FIELDS key).

    Raises SkuTakenError, UnknownImageError.
    """
    write = outbox.begin_write()
    images.lock(content["image_url"])
    return _store(None, bulk.created(content, write), write, author, before_commit)


@retry_deadlocks
def update_product(
    product_id: int,
    changes: dict[str, Any],
    expected: Container[int],
    author: str,
    before_commit: BeforeCommit = _do_nothing,
) -> ProductRow:
    """Apply validated ``changes`` (some of CONTENT_FIELDS) to a product that has one of the ``expected`` versions.

    Equal content makes no new version.

    Raises ProductNotFoundError, StaleVersionError, SkuTakenError, WrongPriceError, UnknownImageError.
    """
    product, write = _lock(product_id, expected)
    changed = bulk.differing(product, changes)
    if not changed:
        return _unchanged(product, before_commit)
    after = bulk.updated(product, changed, write)
    if changed.keys() & {"price", "currency"}:
        _check_price(after)
    if "image_url" in changed:  # other changes are saved even if the present image was lost
        images.lock(after.image_url)
    return _store(product, after, write, author, before_commit)


@retry_deadlocks
def delete_product(product_id: int, expected: Container[int], author: str) -> int:
    """Delete a product that has one of the ``expected`` versions; return the version of the delete.

    Its row stays, and its sku can be used again.

    Raises ProductNotFoundError, StaleVersionError.
    """
    product, write = _lock(product_id, expected)
    return _store(product, bulk.deleted(product, write), write, author).version


@retry_deadlocks
def restore_product(
    product_id: int,
    expected: Container[int],
    author: str,
    changes: Mapping[str, Any] | None = None,
    before_commit: BeforeCommit = _do_nothing,
) -> ProductRow:
    """Restore a deleted product that has one of the ``expected`` versions, with ``changes`` such as an unused sku.

    A live product without ``changes`` stays as it is, so that a second click is harmless.
    Raises ProductNotFoundError where Admin never had it, StaleVersionError, SkuTakenError.
    """
    product, write = _find_and_lock(product_id)
    if not product.deleted_at and not changes:
        return _unchanged(product, before_commit)
    _check_version(product, expected if product.deleted_at else ())
    after = bulk.restored(product, changes or {}, write)
    if images.lost(after.image_url):
        after = after._replace(image_url="")  # removed, long after the delete
    return _store(product, after, write, author, before_commit)


def _unchanged(product: ProductRow, before_commit: BeforeCommit) -> ProductRow:
    before_commit(product)
    db.session.rollback()
    return product


def get_product(product_id: int) -> Product:
    """Return a live product. Raises ProductNotFoundError."""
    product = db.session.get(Product, product_id)
    if product is None or product.deleted_at:
        raise _not_found(product_id)
    return product


# The product, the clock and the epoch in one round trip.
_LOCK = select(*table(Product).columns, *outbox.CONTEXT).where(Product.id == bindparam("id")).with_for_update()


def _find_and_lock(product_id: int) -> tuple[ProductRow, outbox.WriteContext]:
    """Lock a product, deleted or not, and start a transaction that changes it."""
    found = db.session.connection().execute(_LOCK, {"id": product_id}).one_or_none()
    if found is None:
        db.session.rollback()
        raise _not_found(product_id)
    return ProductRow(*found[:-2]), outbox.WriteContext(*found[-2:])


def _lock(product_id: int, expected: Container[int]) -> tuple[ProductRow, outbox.WriteContext]:
    product, write = _find_and_lock(product_id)
    if product.deleted_at:
        db.session.rollback()
        raise _not_found(product_id)
    _check_version(product, expected)
    return product, write


def _check_version(product: ProductRow, expected: Container[int]) -> None:
    if product.version not in expected:
        db.session.rollback()
        raise stale(product.version)


def _store(
    before: ProductRow | None,
    after: ProductRow,
    write: outbox.WriteContext,
    author: str,
    before_commit: BeforeCommit = _do_nothing,
) -> ProductRow:
    """Store a product, new or locked, make it pending, and commit; return it with its id."""
    new, changed = ([], [(before, after)]) if before else ([after], [])
    try:
        (message,) = bulk.store(new, changed, write, author, INTERACTIVE)
    except IntegrityError:
        db.session.rollback()
        raise sku_taken(after.sku) from None
    stored = after._replace(id=message.id)
    before_commit(stored)
    db.session.commit()
    outbox.log_committed([message])
    eager_publisher.offer([message])
    return stored


def _check_price(product: ProductRow) -> None:
    if wrong := wrong_price(product):
        db.session.rollback()
        raise wrong


# The problems of a change, of which a batch names the fields otherwise.


def stale(version: int, *errors: dict[str, str]) -> StaleVersionError:
    """Return the problem of a change that is based on an older version than ``version``."""
    return StaleVersionError(
        f"Nothing was changed: version {version} was saved since you read the product. "
        "Read it again and repeat your change.",
        list(errors),
    )


def sku_taken(sku: str, field: str = "sku") -> SkuTakenError:
    """Return the problem of a change to a ``sku`` that another product has."""
    return SkuTakenError(
        f"Another product has the sku {sku!r}. Change that product's sku, or choose another sku.",
        [{"field": field, "detail": "is taken"}],
    )


def wrong_price(product: ProductRow, field: str = "price") -> WrongPriceError | None:
    """Return the problem of a price with more decimals than its currency, None where it fits."""
    wrong = too_exact(product.price, product.currency)
    return (
        WrongPriceError("The price does not fit its currency.", [{"field": field, "detail": wrong}]) if wrong else None
    )


def _not_found(product_id: int) -> ProductNotFoundError:
    return ProductNotFoundError(f"There is no product {product_id}; it may have been deleted.")
