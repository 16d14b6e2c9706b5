"""Shoppers in any number, and both sides' like sets, for the tests that put load on the likes."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import sqlalchemy as sa
from flask import Flask

from tests.flow.running import Running
from tools.stack.api import ClientApi
from web.security import tokens


@dataclass(frozen=True)
class Shopper:
    """An account with a token; nobody needs its password."""

    id: str
    token: str


@dataclass(frozen=True)
class Click:
    """One request of a shopper's."""

    shopper: Shopper
    product: int
    liked: bool


def new_shoppers(running: Running, number: int) -> list[Shopper]:
    """Make accounts past the sign-up, whose password hashing is slow on purpose, and tokens as the Client would."""
    app = Flask("tokens")
    app.config["SECRET_KEY"] = running.product.env["CLIENT_SECRET_KEY"]
    tokens.init_tokens(app, "client", lambda claims: claims["sub"])
    ids = [uuid.uuid4().hex for _ in range(number)]
    now = datetime.now(UTC)
    sign_ins = [{"id": "test", "expires_at": now + timedelta(hours=1)}]
    accounts = [
        {"_id": id_, "email": f"{id_}@example.com", "password_hash": "-", "created_at": now, "sign_ins": sign_ins}
        for id_ in ids
    ]
    with shop_store(running) as store:
        store.get_default_database()["shoppers"].insert_many(accounts)
    with app.app_context():
        return [Shopper(id_, tokens.issue(id_, "test").shown["access_token"]) for id_ in ids]


def click_all(running: Running, clicks: Sequence[Sequence[Click]]) -> None:
    """Send each sequence of clicks by a client of its own, all at once; every click has to be accepted."""

    def one_client(mine: Sequence[Click]) -> None:
        with closing(ClientApi(running.client.base)) as api:
            for click in mine:
                headers = {"Authorization": f"Bearer {click.shopper.token}"}
                method = "PUT" if click.liked else "DELETE"
                api.ask(method, f"/api/v1/products/{click.product}/likes/me", headers=headers)

    with ThreadPoolExecutor(len(clicks)) as pool:
        list(pool.map(one_client, clicks))


def shop_store(running: Running) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(running.product.addresses.mongodb_url)


@dataclass(frozen=True)
class Sides:
    """Who likes what, and the counts shown, at the shop and at Admin."""

    shop: set[tuple[int, str]]
    shop_counts: dict[int, int]
    admin: set[tuple[int, str]]
    admin_counts: dict[int, int]

    def equal(self, expected: set[tuple[int, str]], products: Sequence[int]) -> bool:
        counts = {product: sum(1 for liked, _ in expected if liked == product) for product in products}
        sets_equal = self.shop == self.admin == expected
        return sets_equal and self.shop_counts == counts == self.admin_counts


def on_the_way(running: Running) -> bool:
    """Return whether likes wait to be told or counted: to ask is cheap, unlike reading both stores again and again."""
    with shop_store(running) as store:
        likes = store.get_default_database()["likes"]
        return any(likes.find_one({waits: True}) for waits in ("pending", "uncounted"))


def look(running: Running, products: Sequence[int]) -> Sides:
    """Read both stores."""
    with shop_store(running) as store:
        shop = store.get_default_database()
        liked = shop["likes"].find({"product": {"$in": list(products)}, "liked": True}, {"product": 1, "user": 1})
        ours = {(like["product"], like["user"]) for like in liked}
        counts = {p["_id"]: p["likes"] for p in shop["products"].find({"_id": {"$in": list(products)}}, {"likes": 1})}
    engine = sa.create_engine(running.product.addresses.database_url)
    wanted = {"ids": list(products)}
    with engine.connect() as admin:
        rows = admin.execute(_SET, wanted).all()
        theirs = {(row[0], row[1]) for row in rows}
        shown: dict[int, int] = dict(admin.execute(_COUNTS, wanted).tuples().all())
    engine.dispose()
    return Sides(ours, counts, theirs, {product: shown.get(product, 0) for product in products})


@contextmanager
def likes_at_admin(running: Running, product: int) -> Iterator[Callable[[], int]]:
    """Yield what reads a product's count at Admin, quickly."""
    engine = sa.create_engine(running.product.addresses.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        yield lambda: sum(count for _product, count in admin.execute(_COUNTS, {"ids": [product]}))
    engine.dispose()


def _of_products(text: str) -> sa.TextClause:
    return sa.text(text).bindparams(sa.bindparam("ids", expanding=True))


_SET = _of_products("SELECT product_id, user FROM product_likes WHERE product_id IN :ids AND liked = 1")
_COUNTS = _of_products("SELECT product_id, likes FROM like_counts WHERE product_id IN :ids")
