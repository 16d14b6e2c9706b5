"""Write products and likes to a MongoDB-wire server by PyMongo alone."""

from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo.database import Database

PRODUCTS, LIKES = "bare_products", "bare_likes"


def database(url: str) -> Database[dict[str, Any]]:
    """Return the database at ``url``."""
    return pymongo.MongoClient[dict[str, Any]](url, w="majority", journal=True).get_default_database()


def upsert_product(shop: Database[dict[str, Any]], product: dict[str, Any]) -> None:
    """Write one product with its search terms."""
    document = {**product, "search_terms": product["title"].lower().split(), "likes": 0, "at": datetime.now(UTC)}
    shop[PRODUCTS].update_one({"_id": product["id"]}, {"$set": document}, upsert=True)


def upsert_like(shop: Database[dict[str, Any]], product_id: int, user: str, liked: bool) -> None:
    """Write one like."""
    change = {"$set": {"product": product_id, "user": user, "liked": liked, "at": datetime.now(UTC)}}
    shop[LIKES].update_one({"_id": f"{product_id}:{user}"}, change, upsert=True)
