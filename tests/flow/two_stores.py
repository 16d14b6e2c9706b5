"""Both services' stores, and the Client's web service in a thread, for reconciliation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Flask
from pymongo.collection import Collection
from sqlalchemy import select, update
from werkzeug.serving import make_server

from admin.catalogue import service
from admin.catalogue.messages import current_messages
from admin.db.extensions import db
from admin.outbox.models import VERIFIED, Replication
from client import create_app
from client.replica import apply
from client.replica.documents import ProductCopy
from tests.flow.stores import CONTENT, KEYS, SECRET, admin_on, client_store_on, unique_name


@dataclass(frozen=True)
class TwoStores:
    """Admin's app, the Client's URL, and Admin's settings for commands."""

    app: Flask
    client_url: str
    settings: dict[str, str]


@contextmanager
def two_stores(admin_url: str, client_store: str) -> Iterator[TwoStores]:
    """Yield both services in Admin's context; its gateway reaches the Client's service on ``client_store``."""
    with client_store_on(client_store) as settings:
        server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client_url = f"http://127.0.0.1:{server.server_port}"
        try:
            with admin_on(admin_url, client_url) as app:
                yield TwoStores(app, client_url, _settings(admin_url, client_url))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _settings(admin_url: str, client_url: str) -> dict[str, str]:
    return {
        "ADMIN_DATABASE_URL": admin_url,
        "ADMIN_CLIENT_URL": client_url,
        "ADMIN_SECRET_KEY": SECRET.get_secret_value(),
        "SERVICE_KEYS": KEYS.get_secret_value(),
    }


def create() -> int:
    """Create a product on Admin alone; return its id."""
    content: dict[str, Any] = {**CONTENT, "sku": unique_name(), "price": Decimal("12.50")}
    return service.create_product(content, "tester").id


def deliver() -> None:
    """Update the copy and verify it, as eager publisher, worker and relay do."""
    ids = db.session.execute(select(Replication.product_id).where(Replication.pending_since.is_not(None))).scalars()
    apply.apply(current_messages(list(ids)))
    verified = {"verified_sequence": Replication.sequence, "state": VERIFIED, "pending_since": None, "due_at": None}
    db.session.execute(update(Replication).values(**verified))
    db.session.commit()


def copy() -> Collection:
    """The Client's copy, to edit by hand."""
    return ProductCopy._get_collection()
