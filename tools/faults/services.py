"""Faults of one service that must not affect the other: a frozen web service, a malformed copy."""

from contextlib import closing
from pathlib import Path
from typing import Any

from runtime.heartbeat import Heartbeat
from tools.faults.load import Load
from tools.faults.scene import PASSWORD, STAFF
from tools.faults.trial import continue_load
from tools.faults.world import World
from tools.stack import commands
from tools.stack.api import AdminApi, eventually

SECONDS = 12.0  # longer than any timeout for an answer, and than the circuit breaker stays open
_BEATS_WITHIN = 15.0  # seconds; the relay's health check gives it 90
_WITHIN = 30.0
_CONTENT = dict.fromkeys(("title", "category"), "Frozen") | {"description": "", "price": "1.00", "currency": "EUR"}
_BROKEN: tuple[dict[str, Any], ...] = (
    {"$unset": {"sequence": ""}},
    {"$set": {"applied_at": "yesterday"}},
    {"$set": {"title": 5, "sequence": "x"}},
    {"$unset": {"deleted": "", "price": ""}},
)


def client_frozen(world: World, load: Load) -> None:
    """SIGSTOP of the Client's web service: changes still reach its store, and the relay's heartbeat continues."""
    with closing(AdminApi(world.product.addresses.admin_url)) as staff:
        staff.sign_in(STAFF, PASSWORD)
        world.product.client.pause()
        continue_load(load, SECONDS)
        created = staff.create({**_CONTENT, "sku": f"frozen-client-{load.seed}", "image_url": ""})["id"]
        eventually(lambda: created in world.client_store.products(), within=_WITHIN, what="the change in the store")
    _expect_heartbeat(world)


def admin_frozen(world: World, load: Load) -> None:
    """SIGSTOP of Admin's web service: changes are still verified, and likes are accepted."""
    user = world.sign_in()
    try:
        created = user.admin.create({**_CONTENT, "sku": f"frozen-admin-{load.seed}", "image_url": ""})["id"]
        world.product.admin.pause()
        eventually(lambda: world.admin_store.pending() == 0, within=_WITHIN, what="the verification of all changes")
        load.ledger.accept(created, 1, {**_CONTENT, "sku": f"frozen-admin-{load.seed}", "image_url": ""})
        user.client.like(created)
        load.ledger.accept_like(created, user.shopper_id, True)
        continue_load(load, SECONDS)
    finally:
        user.admin.close()
        user.client.close()
    _expect_heartbeat(world)


def malformed_copies(world: World, load: Load) -> None:
    """Break some stored copies and resync all products: these are repaired, and the others verified."""
    load.wait_for(20)
    copies = world.client_store.database["products"]
    ids = [
        document["_id"] for document in copies.find({"deleted": False}, {"_id": 1}).sort("_id", 1).limit(len(_BROKEN))
    ]
    for product_id, change in zip(ids, _BROKEN, strict=False):
        copies.update_one({"_id": product_id}, change)
    commands.run_all([(["sync", "resync", "--all", "--no-wait"], "")], world.product.env)
    continue_load(load, 2)


def _expect_heartbeat(world: World) -> None:
    age = Heartbeat(Path(world.product.relay.command[-1])).age()
    if age is None or age > _BEATS_WITHIN:
        raise AssertionError(f"the relay's last heartbeat was {age} s ago")
