"""Numbered migrations of the Client's indexes and document shapes; each is idempotent.

``migrations`` in MongoDB remembers which ones ran. A new one is a function added to ``MIGRATIONS``.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database


def _indexes(db: Database) -> None:
    products = db["products"]
    for field in ("created_at", "likes"):
        # Shop lists: all, and by category, by newest or most liked; _id makes the order total.
        products.create_index([("deleted", ASCENDING), (field, DESCENDING), ("_id", DESCENDING)])
        products.create_index(
            [("deleted", ASCENDING), ("category", ASCENDING), (field, DESCENDING), ("_id", DESCENDING)]
        )
    products.create_index([("words", ASCENDING)])
    likes = db["likes"]
    likes.create_index([("pending", ASCENDING)], sparse=True)
    likes.create_index([("uncounted", ASCENDING)], sparse=True)
    likes.create_index([("user", ASCENDING), ("liked", ASCENDING), ("at", DESCENDING)])
    likes.create_index([("product", ASCENDING), ("liked", ASCENDING)])
    db["shoppers"].create_index([("email", ASCENDING)], unique=True)
    # Created now: older MongoDB cannot create a collection inside a transaction.
    for name in ("sync_failures", "leases", "breakers"):
        if name not in db.list_collection_names():
            db.create_collection(name)


MIGRATIONS: dict[int, Callable[[Database], None]] = {1: _indexes}


def migrate(db: Database) -> list[int]:
    """Run what has not run yet; return the numbers."""
    done = {doc["_id"] for doc in db["migrations"].find()}
    pending = [number for number in sorted(MIGRATIONS) if number not in done]
    for number in pending:
        MIGRATIONS[number](db)
        db["migrations"].replace_one({"_id": number}, {"at": datetime.now(UTC)}, upsert=True)
    return pending
