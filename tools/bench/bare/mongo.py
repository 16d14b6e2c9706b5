"""Writes to a MongoDB-wire server by PyMongo alone."""

import time
from collections.abc import Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from client.migrations import index_products
from client.replica.content import document_of
from contract.messages import ProductChanged

BATCH = 500


def collection(shop: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    """Return an empty collection with the copy's indexes."""
    shop.drop_collection("bare_products")
    index_products(shop["bare_products"])
    return shop["bare_products"]


def document(message: ProductChanged) -> dict[str, Any]:
    """Return the fields of the copy's document, without its id."""
    assert message.product is not None  # noqa: S101 - the benchmark deletes nothing
    return {
        "sequence": message.sequence,
        "checksum": message.checksum,
        "deleted": False,
        "likes": 0,
        **document_of(message.product),
    }


def upsert(products: Collection[dict[str, Any]], message: ProductChanged) -> None:
    """Write one product's document."""
    products.update_one({"_id": message.id}, {"$set": document(message)}, upsert=True)


def bulk_rate(products: Collection[dict[str, Any]], messages: Sequence[ProductChanged]) -> float:
    """Upsert the documents of ``messages`` in unordered bulk writes; return documents per second.

    What the documents are made of is ready before the clock starts: only the store is measured.
    """
    writes = [UpdateOne({"_id": m.id}, {"$set": document(m)}, upsert=True) for m in messages]
    began = time.monotonic()
    for start in range(0, len(writes), BATCH):
        products.bulk_write(writes[start : start + BATCH], ordered=False)
    return len(writes) / (time.monotonic() - began)
