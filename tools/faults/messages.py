"""Duplicated, late, reordered, truncated and forged messages."""

import random
import subprocess
import time

import amqp

from contract import names
from tools.faults.broker import task_properties
from tools.faults.load import Load
from tools.faults.trial import continue_load
from tools.faults.world import World
from tools.stack.product import ROOT

MALFORMED = (b"\xff\xfe", b"{broken", b"5", b"", b"[[],{},{}]", b'[[{"id": 7}],{},{}]', b"[[[5]],{},{}]")
_WITHIN = 30  # seconds


def garbled(world: World, load: Load) -> None:
    """Publish copies of queued messages: duplicated, reordered, truncated, with changed bytes, and late."""
    chance = random.Random(load.seed)
    copies = _waiting_copies(world, load)
    world.product.worker.resume()
    for message in chance.sample(copies, len(copies)):
        world.broker.publish_again(message, times=2)
        body = _text(message).encode()
        cut = body[: chance.randrange(len(body))]
        place = chance.randrange(len(body))
        changed = body[:place] + chance.randbytes(1) + body[place + 1 :]
        for broken in (cut, changed, chance.randbytes(50)):
            world.broker.publish(broken, message.properties)
    continue_load(load, 2)
    for message in copies:
        world.broker.publish_again(message)


def malformed(world: World, load: Load) -> None:
    """Publish malformed messages. Each becomes a dead letter, and the other messages are processed."""
    before = _dead(world)
    for body in MALFORMED:
        world.broker.publish(body, task_properties(names.SYNC_PRODUCT))
        continue_load(load, 0.1)
    world.broker.publish_task("tasks.nobody_knows", [1])
    deadline = time.monotonic() + _WITHIN
    while _dead(world) < before + len(MALFORMED):
        if time.monotonic() > deadline:
            raise AssertionError("a malformed message did not become a dead letter")
        continue_load(load, 0.1)


def _dead(world: World) -> int:
    """Return the number of dead letters, collected or in the queue."""
    return world.client_store.database["dead_letters"].count_documents({}) + world.broker.depth(names.QUEUE_DEAD)


def old_message_after_deletes(world: World, deletes: int) -> list[int]:
    """Copy a create's message, delete its product and then ``deletes`` others, and send the copy again, thrice; a
    copy that was refused before is resynced from the dead letters.

    Returns the ids of the deleted products that exist again.
    """
    admin = world.users[0].admin
    world.product.worker.pause()
    product_id = admin.create(_content("old"))["id"]
    [copy] = _copies_once_there(world, 1)
    world.product.worker.resume()
    world.broker.publish(_text(copy).replace('"price": "1.00"', '"price": "cheap"'), copy.properties)
    others = [admin.create(_content(f"other-{number}"))["id"] for number in range(deletes)]
    for each in (product_id, *others):
        admin.delete(each)
    world.settle(_WITHIN + deletes / 10)
    for _ in range(3):
        world.broker.publish_again(copy)
    _resync_dead_letters(world)
    _until_empty(world)
    stored = world.client_store.products()
    return [each for each in (product_id, *others) if stored[each].content is not None]


def _resync_dead_letters(world: World) -> None:
    """Resync all as an operator does. Raises AssertionError when none names a product."""
    command = ["lockstep", "dead-letters", "resync", "--all", "--yes"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=dict(world.product.env), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if "resynced " not in done.stdout:
        raise AssertionError(f"no dead letter was resynced: {done.stdout}{done.stderr}")


def _text(message: amqp.Message) -> str:
    return message.body.decode() if isinstance(message.body, bytes) else str(message.body)


def _content(name: str) -> dict[str, str]:
    content = dict.fromkeys(("title", "category"), "Old") | dict.fromkeys(("description", "image_url"), "")
    return {**content, "sku": f"{name}-{time.monotonic_ns()}", "price": "1.00", "currency": "EUR"}


def _waiting_copies(world: World, load: Load) -> list[amqp.Message]:
    world.product.worker.pause()
    load.wait_for(20)
    return _copies_once_there(world, 1)


def _copies_once_there(world: World, least: int) -> list[amqp.Message]:
    """Wait for messages in the queue: a paused worker may have prefetched the first ones."""
    deadline = time.monotonic() + _WITHIN
    while len(found := world.broker.copies(names.QUEUE_PRODUCTS)) < least:
        if time.monotonic() > deadline:
            raise AssertionError(f"only {len(found)} messages are in the queue")
        time.sleep(0.1)
    return found


def _until_empty(world: World) -> None:
    deadline = time.monotonic() + _WITHIN
    while world.broker.depth(names.QUEUE_PRODUCTS):
        if time.monotonic() > deadline:
            raise AssertionError("the copies were not consumed")
        time.sleep(0.1)
    world.settle(_WITHIN)
