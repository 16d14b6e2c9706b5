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
    for field in ("created_at", "likes"):
        # Shop lists: all, and by category, by newest or most liked; _id makes the order total.
        products.create_index([("deleted", ASCENDING), (field, DESCENDING), ("_id", DESCENDING)])
        products.create_index(
            [("deleted", ASCENDING), ("category", ASCENDING), (field, DESCENDING), ("_id", DESCENDING)]
        )
    products.create_index([("search_terms", ASCENDING)])
    products.create_index([("image_url", ASCENDING)])  # finds the images in use


def _indexes(db: Database) -> None:
    index_products(db["products"])
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


def _dead_letters(db: Database) -> None:
    dead_letters = db["dead_letters"]
    newest_first = [("died_at", DESCENDING), ("_id", DESCENDING)]
    dead_letters.create_index(newest_first)
    dead_letters.create_index([("state", ASCENDING), *newest_first])
    dead_letters.create_index([("state", ASCENDING), ("at", ASCENDING)])  # finds closed ones to remove
    dead_letters.create_index([("products.id", ASCENDING)])


def _likes_lists(db: Database) -> None:
    likes = db["likes"]
    # "My likes" by keyset: _id makes the order total. It replaces the one without.
    likes.create_index([("user", ASCENDING), ("liked", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)])
    if "user_1_liked_1_at_-1" in likes.index_information():
        likes.drop_index("user_1_liked_1_at_-1")
    likes.create_index([("product", ASCENDING), ("user", ASCENDING)])  # the order in which both sides compare
    likes.create_index([("parked", ASCENDING)], sparse=True)


def _images(db: Database) -> None:
    index_products(db["products"])
    db["images"].create_index([("checked_at", ASCENDING)])
    db["images_wanted"].create_index([("due_at", ASCENDING)])


def _oidc(db: Database) -> None:
    db["shoppers"].create_index([("oidc_subject", ASCENDING)], unique=True, sparse=True)


def _likes_of_a_product(db: Database) -> None:
    """Every write of a like kept this index up, and (product, user) begins as it does."""
    if "product_1_liked_1" in db["likes"].index_information():
        db["likes"].drop_index("product_1_liked_1")


MIGRATIONS: dict[int, Callable[[Database], None]] = {
    1: _indexes,
    2: _dead_letters,
    3: _likes_lists,
    4: _images,
    5: _oidc,
    6: _likes_of_a_product,
}


def migrate(db: Database) -> list[int]:
    """Run the migrations that have not run yet; return their numbers."""
    done = {doc["_id"] for doc in db["migrations"].find()}
    pending = [number for number in sorted(MIGRATIONS) if number not in done]
    for number in pending:
        MIGRATIONS[number](db)
        db["migrations"].replace_one({"_id": number}, {"at": datetime.now(UTC)}, upsert=True)
    return pending
