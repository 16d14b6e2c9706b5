"""Both services' stores, and the Client's web service in a thread: what reconciliation works on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from flask import Flask
from pymongo.collection import Collection
from sqlalchemy import update
from werkzeug.serving import make_server

from admin.extensions import db
from admin.products import service
from admin.replication import outbox
from admin.replication.models import PROVEN, Replication
from client import create_app
from client.products import replicate
from client.products.documents import ProductCopy
from tests.flow.stores import CONTENT, admin_on, client_store_on


@contextmanager
def two_stores(admin_url: str, client_url: str) -> Iterator[Flask]:
    """Yield Admin's app, in its context; its gateway reaches the Client's service on the store at ``client_url``."""
    with client_store_on(client_url) as settings:
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with admin_on(admin_url, f"http://127.0.0.1:{server.server_port}") as app:
                yield app
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def create(number: int) -> int:
    """Create a product on Admin alone; return its id."""
    content: dict[str, Any] = {**CONTENT, "sku": f"SKU-{number}", "title": f"Product {number}"}
    return service.create_product({**content, "price": Decimal("12.50")}, "tester").id


def deliver() -> None:
    """Bring the copy up to date and prove it, as courier, worker and relay would."""
    ids = [row.product_id for row in db.session.query(Replication).filter(Replication.unproven_since.is_not(None))]
    replicate.apply(outbox.current_messages(ids))
    db.session.execute(
        update(Replication).values(proven_ver=Replication.ver, state=PROVEN, unproven_since=None, due_at=None)
    )
    db.session.commit()


def copies() -> Collection:
    """The Client's copy, to edit by hand."""
    return ProductCopy._get_collection()
