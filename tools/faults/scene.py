"""A running product under trial, independent of its servers and hosts."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pymysql  # type: ignore[import-untyped]  # it ships no types
from pymongo.errors import PyMongoError

from tools.faults.load import User
from tools.faults.stores import AdminStore, ClientStore
from tools.stack import commands
from tools.stack.api import AdminApi, ClientApi
from tools.stack.process import Process, start_all, stop_all
from tools.stack.product import Product

STAFF, PASSWORD = "staff@example.com", "a password of some length"
USERS = 3
_POLL = 0.1  # seconds


class NotSettledError(AssertionError):
    """Deliveries are still pending after the timeout."""


@dataclass(kw_only=True)
class Scene:
    """The product, direct access to its stores, and signed-in users. ``machinery`` are its servers."""

    machinery: tuple[Process, ...]
    product: Product
    admin_store: AdminStore
    client_store: ClientStore
    users: list[User] = field(default_factory=list)

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes of the product without Flower, which delivery does not need."""
        product = self.product
        return (product.admin, product.client, product.beat, product.relay, product.worker)

    @contextmanager
    def running(self, users: int = USERS) -> Iterator[None]:
        """Set the product up, start it and sign ``users`` in; stop it afterwards."""
        env = self.product.env
        commands.migrate(env)
        commands.run_all([(["staff", "add", STAFF, "--password-stdin"], f"{PASSWORD}\n")], env)
        try:
            start_all(self.processes)
            self.users = [self.sign_in() for _ in range(users)]
            yield
        finally:
            for user in self.users:
                user.admin.close()
                user.client.close()
            stop_all(self.processes)

    def settle(self, within: float) -> float:
        """Wait until nothing is pending; return the seconds. Raises NotSettledError."""
        began = time.monotonic()
        while left := self._under_way():
            if time.monotonic() - began > within:
                raise NotSettledError(f"after {within:.0f} s: {left}")
            time.sleep(_POLL)
        return time.monotonic() - began

    def _under_way(self) -> str:
        try:
            pending, likes = self.admin_store.pending(), self.client_store.unsettled_likes()
        except (pymysql.MySQLError, PyMongoError) as error:
            return f"a store does not answer: {error!r}"
        return f"{pending} products are not verified, {likes} likes not settled" if pending or likes else ""

    def repair(self) -> None:
        """Resume and start everything that a trial stopped or killed."""
        for process in (*self.machinery, *self.processes):
            process.resume()
            if not process.running:
                process.start()
        for process in (*self.machinery, *self.processes):
            process.wait_ready()

    def sign_in(self) -> User:
        """Return a user of both services, signed in as staff and as a new shopper."""
        addresses = self.product.addresses
        admin, client = AdminApi(addresses.admin_url), ClientApi(addresses.client_url)
        admin.sign_in(STAFF, PASSWORD)
        email = f"{uuid.uuid4().hex}@example.com"
        client.ask("POST", "/api/v1/shoppers", json={"email": email, "password": PASSWORD})
        client.sign_in(email, PASSWORD)
        shopper = self.client_store.database["shoppers"].find_one({"email": email})
        return User(admin, client, str(shopper["_id"]) if shopper else "")
