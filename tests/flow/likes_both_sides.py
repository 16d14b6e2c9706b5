"""Both sides of the likes in one test: the Client's store, and Admin behind an HTTP server that may misbehave."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from admin.catalogue.models import Product
from admin.catalogue.service import create_product
from admin.db.extensions import db
from admin.likes.models import LikeCount, ProductLike
from client.admin_gateway import AdminGateway
from client.config import ClientSettings
from client.likes import count, drain, service
from client.likes.documents import Like
from client.replica import apply
from client.replica.documents import ProductCopy
from client.store import database
from contract.messages import ProductChanged, ProductContent
from tests.flow.stores import CONTENT, TIMES, admin_on, client_store_on, sqlite_url, unique_name

IMPATIENT = (2.0, 0.5)  # seconds; an answer that never ends should not make a slow test

Set = set[tuple[int, str]]


class AdminServer(ThreadingHTTPServer):
    """Admin over HTTP. ``mood`` says what it does next; None: what Admin does.

    A number is the status it answers with, ``("too large", n)`` takes n likes at most, ``garbage``, ``endless``,
    ``slow`` and ``reset`` are what they say; ``reset`` has done the work before.
    """

    daemon_threads = True

    def __init__(self, app: Flask) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app, self.mood, self.calls = app, None, 0
        self.headers: dict[str, str] = {}
        self.mood: Any

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AdminServer

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls += 1
        match self.server.mood:
            case None:
                self._answer(*self._admin(body))
            case int() as status:
                self._answer(status, b"{}")
            case ("too large", limit):
                self._answer(*((413, b"{}") if body.count(b'"revision"') > limit else self._admin(body)))
            case "slow":
                self._drip()
            case "endless":
                self._drip(b"x" * 65_536, pause=0)
            case "reset":
                self._admin(body)
                self._reset()
            case garbage:
                self._answer(200, garbage)

    do_GET = do_POST = _any

    def _admin(self, body: bytes) -> tuple[int, bytes]:
        answer = self.server.app.test_client().open(
            self.path, method=self.command, data=body, headers=dict(self.headers.items())
        )
        return answer.status_code, answer.data

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**self.server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, piece: bytes = b" ", pause: float = 0.1) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self.close_connection = True
        while True:
            try:
                self.wfile.write(piece)
            except OSError:
                return
            time.sleep(pause)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: what is sent is asserted."""


class BothSides:
    """The shop's likes and Admin's, and what brings one to the other."""

    def __init__(self, app: Flask, server: AdminServer, settings: ClientSettings) -> None:
        self.app, self.server, self.settings = app, server, settings
        self.patient, self._impatient = AdminGateway(settings), AdminGateway(settings, IMPATIENT)

    @property
    def gateway(self) -> AdminGateway:
        """What calls Admin; a busy machine's Admin has all the time it has in production."""
        return self._impatient if self.server.mood == "slow" else self.patient

    def new_product(self) -> int:
        """Create a product at Admin and let it arrive."""
        content = {**CONTENT, "sku": unique_name()}
        product = create_product({**content, "price": Decimal(content["price"])}, "test").id
        apply.apply([ProductChanged(product, 1, ProductContent(**content, **TIMES))])
        return product

    def like(self, user: str, product: int, liked: bool = True) -> None:
        service._toggle(product, user, liked)

    def forward(self) -> int:
        """Drain as if the breaker's time were over."""
        database()["breakers"].update_many({}, {"$set": {"not_before": datetime.now(UTC)}})
        return drain.drain(self.gateway)

    def settle(self) -> None:
        """Forward and count until nothing is left."""
        self.server.mood = None
        while Like._get_collection().find_one({"pending": True}):
            self.forward()
        count.count()

    def document(self, user: str, product: int) -> Any:
        return Like._get_collection().find_one({"_id": f"{product}:{user}"})

    def shop_set(self) -> Set:
        return {(like["product"], like["user"]) for like in Like._get_collection().find({"liked": True})}

    def shop_counts(self) -> dict[int, int]:
        return {p["_id"]: p["likes"] for p in ProductCopy._get_collection().find({"likes": {"$ne": 0}})}

    def admin_rows(self) -> dict[tuple[int, str], tuple[int, bool]]:
        """Return what Admin holds: (product, user) → (revision, liked)."""
        rows = db.session.scalars(select(ProductLike).execution_options(populate_existing=True))
        held = {(row.product_id, row.user): (row.revision, row.liked) for row in rows}
        db.session.rollback()
        return held

    def admin_set(self) -> Set:
        return {key for key, (_, liked) in self.admin_rows().items() if liked}

    def admin_counts(self) -> dict[int, int]:
        rows = db.session.execute(select(LikeCount.product_id, LikeCount.likes).where(LikeCount.likes != 0)).all()
        db.session.rollback()
        return {row[0]: row[1] for row in rows}

    def assert_equal(self, expected: Set) -> None:
        """Both sets are the expected one, and all counts their sizes."""
        products = {product for product, _ in expected}
        counts = {product: sum(1 for liked, _ in expected if liked == product) for product in products}
        assert self.shop_set() == self.admin_set() == expected
        assert self.shop_counts() == self.admin_counts() == counts

    def waiting(self) -> tuple[int, int]:
        """Return how many likes are pending, and how many parked."""
        likes = Like._get_collection()
        return likes.count_documents({"pending": True}), likes.count_documents({"parked": {"$exists": True}})

    def empty(self) -> None:
        """Forget every like and product, on both sides."""
        for model in (ProductLike, LikeCount, Product):
            db.session.query(model).delete()
        db.session.commit()
        for name in ("likes", "products", "breakers", "leases", "sync_generations", "erasures", "shoppers"):
            database()[name].delete_many({})


@contextmanager
def both_sides(mongodb_url: str, folder: Path) -> Iterator[BothSides]:
    """Yield both, empty: Admin on SQLite, the Client on the store at ``mongodb_url``."""
    with admin_on(sqlite_url(folder)) as app:
        server = AdminServer(app)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            with client_store_on(mongodb_url, admin_url=server.url) as settings:
                yield BothSides(app, server, settings)
        finally:
            server.shutdown()
            server.server_close()
