"""Creates, updates, deletes and restores products; makes each change pending in the same transaction."""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from admin.catalogue import search_terms
from admin.catalogue.images import service as images
from admin.catalogue.messages import changed_in
from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.db.engine import retry_deadlocks, table
from admin.db.extensions import db
from admin.outbox import eager_publisher, outbox
from contract.currencies import too_exact
from web.http.problems import ProblemError

_INSERT = insert(table(Product))


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
BeforeCommit = Callable[[Product], object]


def _do_nothing(_product: Product) -> None: ...


@retry_deadlocks
def create_product(content: dict[str, Any], author: str, before_commit: BeforeCommit = _do_nothing) -> Product:
    """Create a product from validated ``content`` (every CONTENT_FIELDS key).

    Raises SkuTakenError, UnknownImageError.
    """
    write = outbox.begin_write()
    images.lock(content["image_url"])
    row = {**content, "live_sku": content["sku"], "created_at": write.now, "updated_at": write.now, "version": 1}
    with _taken_skus(content["sku"]):
        # Not through the session, whose unit of work costs more than the statement (docs/performance.md).
        product_id = db.session.connection().execute(_INSERT, row).lastrowid
    product = Product(id=product_id, **row)
    search_terms.store([product])
    before_commit(product)
    return _commit(product, outbox.CREATED, write, author)


@retry_deadlocks
def update_product(
    product_id: int,
    changes: dict[str, Any],
    expected: Container[int],
    author: str,
    before_commit: BeforeCommit = _do_nothing,
) -> Product:
    """Apply validated ``changes`` (some of CONTENT_FIELDS) to a product that has one of the ``expected`` versions.

    Equal content makes no new version.

    Raises ProductNotFoundError, StaleVersionError, SkuTakenError, WrongPriceError, UnknownImageError.
    """
    write = outbox.begin_write()
    product = _lock(product_id, expected)
    changed = apply_changes(product, changes)
    if not changed:
        return _unchanged(product_id, before_commit)
    if changed & {"price", "currency"}:
        _check_price(product)
    if "image_url" in changed:  # other changes are saved even if the present image was lost
        with db.session.no_autoflush:
            images.lock(product.image_url)
    product.live_sku, product.updated_at = product.sku, write.now
    _flush(product, changed)
    before_commit(product)
    return _commit(product, "updated", write, author)


@retry_deadlocks
def delete_product(product_id: int, expected: Container[int], author: str) -> int:
    """Delete a product that has one of the ``expected`` versions; return the version of the delete.

    Its row stays, and its sku can be used again.

    Raises ProductNotFoundError, StaleVersionError.
    """
    write = outbox.begin_write()
    product = _lock(product_id, expected)
    product.live_sku, product.deleted_at, product.updated_at = None, write.now, write.now
    db.session.flush()
    return _commit(product, "deleted", write, author).version


@retry_deadlocks
def restore_product(
    product_id: int,
    expected: Container[int],
    author: str,
    changes: Mapping[str, Any] | None = None,
    before_commit: BeforeCommit = _do_nothing,
) -> Product:
    """Restore a deleted product that has one of the ``expected`` versions, with ``changes`` such as an unused sku.

    A live product without ``changes`` stays as it is, so that a second click is harmless.
    Raises ProductNotFoundError where Admin never had it, StaleVersionError, SkuTakenError.
    """
    write = outbox.begin_write()
    product = _find_and_lock(product_id)
    if not product.deleted_at and not changes:
        return _unchanged(product_id, before_commit)
    _check_version(product, expected if product.deleted_at else ())
    with db.session.no_autoflush:
        changed = apply_changes(product, changes or {})
        if images.lost(product.image_url):
            product.image_url = ""  # removed, long after the delete
    product.live_sku, product.deleted_at, product.updated_at = product.sku, None, write.now
    _flush(product, changed)
    before_commit(product)
    return _commit(product, "restored", write, author)


def _unchanged(product_id: int, before_commit: BeforeCommit) -> Product:
    db.session.rollback()
    product = get_product(product_id)
    before_commit(product)
    return product


def get_product(product_id: int) -> Product:
    """Return a live product. Raises ProductNotFoundError."""
    product = db.session.get(Product, product_id)
    if product is None or product.deleted_at:
        raise _not_found(product_id)
    return product


def apply_changes(product: Product, changes: Mapping[str, Any]) -> set[str]:
    """Set the fields that differ; return their names."""
    differing = {k: v for k, v in changes.items() if k in CONTENT_FIELDS and getattr(product, k) != v}
    for name, value in differing.items():
        setattr(product, name, value)
    return set(differing)


def _find_and_lock(product_id: int) -> Product:
    query = select(Product).where(Product.id == product_id).with_for_update()
    product = db.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if product is None:
        db.session.rollback()
        raise _not_found(product_id)
    return product


def _lock(product_id: int, expected: Container[int]) -> Product:
    product = _find_and_lock(product_id)
    if product.deleted_at:
        db.session.rollback()
        raise _not_found(product_id)
    _check_version(product, expected)
    return product


def _check_version(product: Product, expected: Container[int]) -> None:
    if product.version in expected:
        return
    current = product.version
    db.session.rollback()
    raise StaleVersionError(
        f"Nothing was changed: version {current} was saved since you read the product. "
        "Read it again and repeat your change."
    )


def _commit(product: Product, kind: str, write: outbox.WriteContext, author: str) -> Product:
    message = changed_in(write, product)
    outbox.record([(message, kind)], write, author)
    db.session.commit()
    outbox.log_committed([message])
    eager_publisher.offer([message])
    return product


def _flush(product: Product, changed: set[str]) -> None:
    with _taken_skus(product.sku):
        db.session.flush()
    if changed & search_terms.FIELDS:
        search_terms.store([], [product])


def _check_price(product: Product) -> None:
    if wrong := too_exact(product.price, product.currency):
        db.session.rollback()
        raise WrongPriceError("The price does not fit its currency.", [{"field": "price", "detail": wrong}])


@contextmanager
def _taken_skus(sku: str) -> Iterator[None]:
    """Raise SkuTakenError where the statement within finds that another product has ``sku``."""
    try:
        yield
    except IntegrityError:
        db.session.rollback()
        detail = f"Another product has the sku {sku!r}. Change that product's sku, or choose another sku."
        raise SkuTakenError(detail, [{"field": "sku", "detail": "is taken"}]) from None


def _not_found(product_id: int) -> ProductNotFoundError:
    return ProductNotFoundError(f"There is no product {product_id}; it may have been deleted.")
