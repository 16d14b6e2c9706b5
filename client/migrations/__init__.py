"""Numbered migrations of the Client's indexes and document shapes; each is idempotent.

The collection ``migrations`` records which ones ran. A new one is a function added to ``MIGRATIONS``.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database


def index_products(products: Collection) -> None:
    """Create the indexes of the copy."""
    # Shop lists: all, and by category, by newest or most liked; _id makes the order total.
    for order in ([("_id", DESCENDING)], [("likes", DESCENDING), ("_id", DESCENDING)]):
        products.create_index([("deleted", ASCENDING), *order])
        products.create_index([("deleted", ASCENDING), ("category", ASCENDING), *order])
    products.create_index([("search_terms", ASCENDING)])
    products.create_index([("image_url", ASCENDING)])  # finds the images in use


def _first_release(db: Database) -> None:
    index_products(db["products"])
    _index_likes(db["likes"])
    _index_dead_letters(db["dead_letters"])
    db["shoppers"].create_index([("email", ASCENDING)], unique=True)
    db["shoppers"].create_index([("oidc_subject", ASCENDING)], unique=True, sparse=True)
    db["images"].create_index([("checked_at", ASCENDING)])
    db["images_wanted"].create_index([("due_at", ASCENDING)])
    # Created now: older MongoDB cannot create a collection inside a transaction.
    for name in ("sync_failures", "leases", "breakers"):
        if name not in db.list_collection_names():
            db.create_collection(name)


def _index_likes(likes: Collection) -> None:
    for field in ("pending", "uncounted", "parked"):
        likes.create_index([(field, ASCENDING)], sparse=True)
    # A shopper's likes, the latest first; _id makes the order total.
    likes.create_index([("user", ASCENDING), ("liked", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)])
    likes.create_index([("product", ASCENDING), ("user", ASCENDING)])  # the order in which both sides compare


def _index_dead_letters(dead_letters: Collection) -> None:
    newest_first = [("died_at", DESCENDING), ("_id", DESCENDING)]
    dead_letters.create_index(newest_first)
    dead_letters.create_index([("state", ASCENDING), *newest_first])
    dead_letters.create_index([("state", ASCENDING), ("at", ASCENDING)])  # finds closed ones to remove
    dead_letters.create_index([("products.id", ASCENDING)])


MIGRATIONS: dict[int, Callable[[Database], None]] = {1: _first_release}


def migrate(db: Database) -> list[int]:
    """Run the migrations that have not run yet; return their numbers."""
    done = {doc["_id"] for doc in db["migrations"].find()}
    pending = [number for number in sorted(MIGRATIONS) if number not in done]
    for number in pending:
        MIGRATIONS[number](db)
        db["migrations"].replace_one({"_id": number}, {"at": datetime.now(UTC)}, upsert=True)
    return pending
