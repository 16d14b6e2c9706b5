"""Read both stores directly and compare them field by field, independently of the product's reconciliation."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pymongo
import pymysql  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy.engine import make_url

FIELDS = ("sku", "title", "description", "price", "currency", "category", "image_url", "created_at", "updated_at")
_VERSION_BITS = 40  # as in the contract: sequence = epoch * 2**40 + version


@dataclass(frozen=True, slots=True)
class State:
    """One product in one store. ``content`` is in the order of FIELDS; None when deleted."""

    sequence: int
    content: tuple[str, ...] | None

    @property
    def version(self) -> int:
        return self.sequence % (1 << _VERSION_BITS)

    def __str__(self) -> str:
        """A summary for messages."""
        what = f"{self.content[1]!r} of {self.content[-1]}" if self.content else "deleted"
        return f"v{self.version} {what}"


@dataclass
class Verdict:
    """Descriptions of errors; three empty lists mean success."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    resurrected: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated or self.resurrected)

    def __iadd__(self, other: "Verdict") -> "Verdict":
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.resurrected += other.resurrected
        return self


class AdminStore:
    """Admin's database, read directly."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self._connect = {
            "host": parts.host,
            "port": parts.port,
            "user": parts.username,
            "password": parts.password,
            "database": parts.database,
            "connect_timeout": 3,
            "read_timeout": 60,
            "init_command": "SET time_zone = '+00:00'",
        }

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and commit; return its rows. Raises pymysql's errors."""
        with closing(pymysql.connect(**self._connect)) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            connection.commit()
            return list(cursor.fetchall())

    def products(self) -> dict[int, State]:
        """Return every product; one without a replication row has sequence 0."""
        columns = ", ".join(f"p.{name}" for name in FIELDS)
        query = f"SELECT p.id, COALESCE(r.sequence, 0), p.deleted_at, {columns} FROM products p"  # noqa: S608 - our names
        joined = f"{query} LEFT JOIN replication r ON r.product_id = p.id"
        return {
            id_: State(sequence, None if deleted else _texts(content))
            for id_, sequence, deleted, *content in self.rows(joined)
        }

    def versions(self) -> dict[int, int]:
        """Return each product's version from its own row, not from its outbox row."""
        return dict(self.rows("SELECT id, version FROM products"))

    def pending(self) -> int:
        """Return the number of products that are not verified."""
        return int(self.rows("SELECT COUNT(*) FROM replication WHERE state <> 'verified'")[0][0])

    def lag(self) -> float:
        """Return the age of the oldest change that is not verified, in seconds; 0 when there is none."""
        query = "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(pending_since), UTC_TIMESTAMP(3)) / 1e6 FROM replication"
        return float(self.rows(query)[0][0] or 0)

    def likes(self) -> dict[tuple[int, str], bool]:
        """Return each shopper's like of each product, set or not, as forwarded."""
        return {
            (p, user): bool(liked) for p, user, liked in self.rows("SELECT product_id, user, liked FROM product_likes")
        }

    def like_counts(self) -> dict[int, int]:
        return dict(self.rows("SELECT product_id, likes FROM like_counts WHERE likes <> 0"))


class ClientStore:
    """The Client's database, read directly."""

    def __init__(self, url: str) -> None:
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            url, serverSelectionTimeoutMS=3000, socketTimeoutMS=60_000
        )
        self.database = self._client.get_default_database()

    def close(self) -> None:
        self._client.close()

    def products(self) -> dict[int, State]:
        """Return every product and tombstone."""
        return {
            doc["_id"]: State(doc["sequence"], None if doc["deleted"] else _texts(doc.get(name) for name in FIELDS))
            for doc in self.database["products"].find()
        }

    def unsettled_likes(self) -> int:
        """Return the number of likes that are not forwarded or not counted."""
        likes = self.database["likes"]
        return likes.count_documents({"pending": True}) + likes.count_documents({"uncounted": True})

    def likes(self) -> dict[tuple[int, str], bool]:
        return {(doc["product"], doc["user"]): doc["liked"] for doc in self.database["likes"].find()}

    def like_counts(self) -> dict[int, int]:
        found = self.database["products"].find({"likes": {"$ne": 0}}, {"likes": 1})
        return {doc["_id"]: doc.get("likes", 0) for doc in found}


def compare(admin: AdminStore, client: ClientStore) -> Verdict:
    """Compare both stores, once nothing is pending."""
    verdict = Verdict()
    ours, theirs = admin.products(), client.products()
    for product_id, state in ours.items():
        _compare_product(product_id, state, theirs.get(product_id), verdict)
    for product_id in theirs.keys() - ours.keys():
        verdict.resurrected.append(f"product {product_id}: the Client holds it, Admin never had it")
    for product_id, version in admin.versions().items():
        if ours[product_id].version != version:
            verdict.lost.append(f"product {product_id}: version {version}, marked {ours[product_id].version}")
    for product_id, sequence, count in admin.rows(
        "SELECT product_id, sequence, COUNT(*) FROM product_changes GROUP BY product_id, sequence HAVING COUNT(*) > 1"
    ):
        verdict.duplicated.append(f"product {product_id}: {count} changes have sequence {sequence}")
    _compare_likes(admin, client, {id_ for id_, state in ours.items() if state.content}, verdict)
    return verdict


def _compare_product(product_id: int, ours: State, theirs: State | None, verdict: Verdict) -> None:
    if ours == theirs:
        return
    if ours.content is None and theirs is not None and theirs.content is not None and theirs.sequence >= ours.sequence:
        verdict.resurrected.append(f"product {product_id}: deleted at {ours}, shown at {theirs}")
    else:
        verdict.lost.append(f"product {product_id}: Admin has {ours}, the Client {theirs}")


def _compare_likes(admin: AdminStore, client: ClientStore, living: set[int], verdict: Verdict) -> None:
    """Skip deleted products: Admin refuses their likes and does not count them."""
    ours, theirs = admin.likes(), client.likes()
    for key in ours.keys() | theirs.keys():
        if key[0] in living and ours.get(key, False) != theirs.get(key, False):
            verdict.lost.append(f"like {key}: Admin has {ours.get(key)}, the Client {theirs.get(key)}")
    for name, counts, likes in (("Admin", admin.like_counts(), ours), ("Client", client.like_counts(), theirs)):
        sizes = Counter(product for (product, _user), liked in likes.items() if liked)
        for product_id in living & (counts.keys() | sizes.keys()):
            count, size = counts.get(product_id, 0), sizes[product_id]
            if count != size:
                wrong = verdict.duplicated if count > size else verdict.lost
                wrong.append(f"product {product_id}: {name} counts {count} of {size} likes")


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _text(value: Any) -> str:
    if isinstance(value, Decimal) and value == (price := round(value, 2)):
        return str(price)  # Admin's column has four decimals, the Client and the callers use two
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)
