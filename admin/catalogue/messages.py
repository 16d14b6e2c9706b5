"""Makes the messages that carry products' states, which the outbox records and the relay publishes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from admin.catalogue.models import Product, ProductRow
from admin.db.extensions import db
from admin.outbox.models import Replication
from admin.outbox.outbox import WriteContext
from contract import causation
from contract.currencies import price_text
from contract.messages import CONTENT_NAMES, ProductChanged, ProductContent, format_time
from contract.versions import compose


def message_of(
    product: Product | ProductRow | Row[Any], sequence: int, cause: causation.Cause = causation.UNKNOWN
) -> ProductChanged:
    """Return the message that carries ``product``'s state at ``sequence``."""
    return ProductChanged(product.id, sequence, None if product.deleted_at else content_of(product), cause)


def changed_in(write: WriteContext, product: Product | ProductRow) -> ProductChanged:
    """Return the message of the state of ``product`` that the transaction ``write`` stores."""
    return message_of(product, compose(write.epoch, product.version), causation.current())


def current_messages(product_ids: Sequence[int]) -> list[ProductChanged]:
    """Return the products' current states. State and sequence come from one statement, so they match."""
    query = (
        # columns, as objects take twice as long
        select(*_STATE, Replication.sequence, Replication.request_id, Replication.traceparent)
        .join(Replication, Replication.product_id == Product.id)
        .where(Product.id.in_(product_ids))
        .order_by(Product.id)
    )
    rows = db.session.execute(query)
    messages = [message_of(row, row.sequence, causation.Cause(row.request_id, row.traceparent)) for row in rows]
    db.session.rollback()
    return messages


_STATE = [getattr(Product, name) for name in ("id", "deleted_at", *CONTENT_NAMES)]


def content_of(product: Product | ProductRow | Row[Any]) -> ProductContent:
    return ProductContent(
        sku=product.sku,
        title=product.title,
        description=product.description,
        price=price_text(product.price, product.currency),
        currency=product.currency,
        category=product.category,
        image_url=product.image_url,
        created_at=format_time(product.created_at),
        updated_at=format_time(product.updated_at),
    )
