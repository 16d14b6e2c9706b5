"""The console as staff use it, beside what others do to the same products meanwhile."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kombu import Connection
from PIL import Image
from playwright.sync_api import Locator, Page
from pymongo import MongoClient

from contract import names
from tests.browser.sign_ins import sign_in_by_form, use
from tests.flow.running import STAFF, Running, eventually
from tests.flow.stores import unique_name

VIEWER, OWNER = "viewer@example.com", "owner@example.com"
ROLES = {"viewer": VIEWER, "owner": OWNER}


@dataclass(frozen=True)
class Exhibits:
    """What the pages have something to show of: the ids of each."""

    product: int
    deleted: int
    dead_letter: str
    job: int


@dataclass(frozen=True)
class Console:
    running: Running
    _cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.running.product.addresses.admin_url}/console"

    def sign_in(self, page: Page, email: str = STAFF) -> None:
        """Sign in and look at the overview; who signed in before goes on in the same session."""
        if email not in self._cookies:
            self._cookies[email] = sign_in_by_form(f"{self.url}/sign-in", email)
        use(page, self.url, self._cookies[email])
        page.goto(f"{self.url}/")

    def create(self, **fields: str) -> int:
        """Create a product by the API and wait until the copy is verified."""
        product_id = self.running.create(**fields)
        eventually(lambda: bool(self.replication(product_id)["in_sync"]))
        eventually(lambda: self.replication(product_id)["state"] == "verified")
        return product_id

    def replication(self, product_id: int) -> dict[str, Any]:
        return dict(self.running.admin.ask("GET", f"/api/v1/products/{product_id}/replication").json())

    def import_with_an_error(self) -> int:
        """Have a file imported, of which one row is wrong; return the import's id."""
        file = {"file": ("autumn.csv", catalogue("1.50", "dear"))}
        job = int(self.running.admin.ask("POST", "/api/v1/imports", files=file).json()["id"])
        eventually(lambda: self.running.admin.ask("GET", f"/api/v1/imports/{job}").json()["state"] == "done")
        return job

    def exhibits(self) -> Exhibits:
        """Make something that drifted, something deleted, a dead letter, and an import with an error."""
        product, deleted = (
            self.create(title="A product with a rather long title, to see where it breaks"),
            self.create(),
        )
        self.edit_the_copy(product, title="Another title")
        self.running.admin.delete(deleted)
        return Exhibits(product, deleted, self.send_poison(product), self.import_with_an_error())

    def edit_the_copy(self, product_id: int, **changes: Any) -> None:
        """Change the Client's document past Lockstep."""
        with MongoClient[dict[str, Any]](self.running.product.addresses.mongodb_url) as client:
            changed = client.get_default_database()["products"].update_one({"_id": product_id}, {"$set": changes})
            assert changed.matched_count == 1

    @contextmanager
    def wanting_an_image(self) -> Iterator[None]:
        """An image that the worker is to copy, but not before tomorrow."""
        now = datetime.now(UTC)
        image = {"_id": "0" * 64, "since": now, "due_at": now + timedelta(days=1), "tries": 3, "reason": None}
        with MongoClient[dict[str, Any]](self.running.product.addresses.mongodb_url) as client:
            wanted = client.get_default_database()["images_wanted"]
            wanted.insert_one(image)
            yield
            wanted.delete_one({"_id": image["_id"]})

    def send_poison(self, product_id: int) -> str:
        """Publish a message about a product that no worker can process; return the id of its dead letter."""
        task_id = unique_name()
        message = {
            "type": "product.changed.v1",
            "id": product_id,
            "sequence": 1,
            "deleted": False,
            "product": {"sku": "X"},
        }
        headers = {"id": task_id, "task": names.SYNC_PRODUCT, "lang": "py"}
        headers |= dict.fromkeys(("root_id", "parent_id", "group"))
        with Connection(self.running.product.addresses.broker_url) as connection, connection.channel() as channel:
            body = json.dumps([[message], {}, {}]).encode()
            sent = channel.prepare_message(body, None, "application/json", "utf-8", headers, {"delivery_mode": 2})
            channel.basic_publish(sent, names.EXCHANGE, names.QUEUE_PRODUCTS)
        found: list[str] = []

        def collected() -> bool:
            items = self.running.admin.ask("GET", f"/api/v1/dead-letters?product={product_id}").json()["items"]
            found[:] = [item["id"] for item in items if item["task_id"] == task_id]
            return bool(found)

        eventually(collected)
        return found[0]


def catalogue(*prices: str) -> bytes:
    """A CSV file with a product for each price, which nobody imported before."""
    rows = [f"{unique_name()},Imported {number},{price},EUR,Imported" for number, price in enumerate(prices, 1)]
    return "\n".join(["sku,title,price,currency,category", *rows, ""]).encode()


def png() -> bytes:
    """A picture that nobody uploaded before."""
    file = io.BytesIO()
    Image.frombytes("RGB", (4, 4), unique_name().encode().ljust(48, b"."), "raw").save(file, "PNG")
    return file.getvalue()


def main(page: Page) -> Locator:
    return page.get_by_role("main")
