"""The services with which Lockstep's are compared, run by gunicorn.

``plain_admin`` and ``plain_client`` are Lockstep's apps with the guarantee taken out of one use case: the same view,
authentication and validation. ``bare_view`` is what Flask and one insert cost.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy import MetaData, Table, create_engine, event, insert
from sqlalchemy.orm import Session

import admin
import client
from admin.catalogue import service as products
from admin.config import AdminSettings
from admin.db.engine import engine_options
from admin.outbox import outbox
from client.likes import service as likes
from client.likes.documents import Like, like_id
from client.replica.documents import ProductCopy
from client.replica.queries import get_product

COMMITTED = "X-Committed"  # of the monotonic clock, in ns, which all processes of a machine share


def timed_admin() -> Flask:
    """Admin, with a header for the time of each request's commit."""
    app = admin.create_app()

    @event.listens_for(Session, "after_commit")
    def _note(_session: Session) -> None:
        g.committed = time.monotonic_ns()

    @app.after_request
    def _tell(response: Response) -> Response:
        response.headers[COMMITTED] = str(g.get("committed", 0))
        return response

    return app


def plain_admin() -> Flask:
    """Admin without replication: no outbox row, no change log, no eager publisher."""
    products.outbox = SimpleNamespace(  # type: ignore[attr-defined, assignment]
        **vars(outbox)
        | {
            "begin_write": lambda: outbox.WriteContext(datetime.now(UTC).replace(tzinfo=None), 0),
            "record": lambda *_args: [],
        }
    )
    products.eager_publisher = SimpleNamespace(offer=lambda _messages: None)  # type: ignore[attr-defined, assignment]
    return admin.create_app()


def plain_client() -> Flask:
    """The Client with a bare upsert for a like, after reading the product, without counting and forwarding."""

    def set_like(product_id: int, user: str, liked: bool, debounce: timedelta = timedelta()) -> ProductCopy:  # noqa: ARG001 - the signature of the original
        product = get_product(product_id)
        change = {"$set": {"product": product_id, "user": user, "liked": liked, "at": datetime.now(UTC)}}
        Like._get_collection().update_one({"_id": like_id(product_id, user)}, change, upsert=True)
        return product

    likes.set_like = set_like
    return client.create_app()


def bare_view() -> Flask:
    """One Flask view that inserts its body, in SQLAlchemy Core, and commits."""
    app = Flask(__name__)
    url = AdminSettings().admin_database_url.get_secret_value()
    engine = create_engine(url, **engine_options(url))
    table = Table("bare_products", MetaData(), autoload_with=engine)

    @app.post("/products")
    def create() -> tuple[dict[str, Any], int]:
        content, now = json.loads(request.data), datetime.now(UTC).replace(tzinfo=None)
        row = {**content, "live_sku": content["sku"], "created_at": now, "updated_at": now, "version": 1}
        with engine.begin() as connection:
            row["id"] = connection.execute(insert(table).values(row)).inserted_primary_key[0]  # type: ignore[index]
        return {**row, "created_at": now.isoformat(), "updated_at": now.isoformat()}, 201

    app.add_url_rule("/readyz", view_func=lambda: "ready")
    return app
