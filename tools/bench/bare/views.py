"""Plain Flask views, run by gunicorn like Lockstep's services: one write and an answer."""

import os
import threading
from typing import Any

from flask import Flask, abort, request

from tools.bench.bare import broker, sql, store


def admin() -> Flask:
    """Return views that insert their body: ``/products``, and ``/published``, which also publishes it."""
    app, products = Flask(__name__), sql.Products(os.environ["ADMIN_DATABASE_URL"])
    channel, publishing = broker.open_channel(os.environ["CELERY_BROKER_URL"]), threading.Lock()

    @app.post("/products")
    def create() -> tuple[dict[str, Any], int]:
        product = request.get_json()
        return {"id": products.insert(product), **product}, 201

    @app.post("/published")
    def create_and_publish() -> tuple[dict[str, Any], int]:
        content = request.get_json()
        product = {"id": products.insert(content), **content}
        with publishing:
            broker.publish(channel, product)
        return product, 201

    app.add_url_rule("/readyz", view_func=lambda: "ready")
    return app


def client() -> Flask:
    """Return a view that reads the product and upserts a like, for the shop's own products."""
    app, shop = Flask(__name__), store.database(os.environ["CLIENT_MONGODB_URL"])

    @app.route("/products/<int:product_id>/like", methods=["PUT", "DELETE"])
    def like(product_id: int) -> dict[str, Any]:
        product = shop["products"].find_one({"_id": product_id}, {"likes": 1})
        if product is None:
            abort(404)
        store.upsert_like(shop, product_id, "shopper", request.method == "PUT")
        return {"product": product_id, "liked": request.method == "PUT", "likes": product["likes"]}

    app.add_url_rule("/readyz", view_func=lambda: "ready")
    return app
