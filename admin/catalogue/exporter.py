"""Exports the catalogue as a stream, in the formats that the import reads."""

import csv
import json
from collections.abc import Callable
from typing import IO, Any

from sqlalchemy import select

from admin.catalogue.csv_cells import safe
from admin.catalogue.models import CONTENT_FIELDS, Product
from admin.db.extensions import db
from contract.currencies import price_text

PAGE = 1000  # rows read at once


def export(out: IO[str], kind: str, progress: Callable[[int], None] = lambda _done: None) -> int:
    """Write every live product to ``out`` as ``csv`` or ``ndjson``, by id; return their number.

    ``progress`` is called with the number written so far.
    """
    writer = csv.DictWriter(out, CONTENT_FIELDS) if kind == "csv" else None
    if writer:
        writer.writeheader()
    count, last = 0, 0
    while page := _page(last):
        for product in page:
            row = _row(product)
            if writer:
                writer.writerow({name: safe(text) for name, text in row.items()})
            else:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        count, last = count + len(page), page[-1].id
        progress(count)
        db.session.rollback()
        db.session.expunge_all()
    return count


def _page(after: int) -> list[Product]:
    query = select(Product).where(Product.id > after, Product.deleted_at.is_(None)).order_by(Product.id).limit(PAGE)
    return list(db.session.execute(query).scalars())


def _row(product: Product) -> dict[str, Any]:
    content = {name: getattr(product, name) for name in CONTENT_FIELDS}
    return {**content, "price": price_text(product.price, product.currency)}
