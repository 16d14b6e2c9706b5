"""Dead letters in the running product: from a worker's refusal to REST and the command line."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from kombu import Connection
from pymongo import MongoClient

from contract import names
from contract.messages import ProductChanged, ProductContent
from tests.flow.running import PASSWORD, Running, eventually
from tests.flow.stores import CONTENT, TIMES, unique_name
from tools.stack import commands
from tools.stack.api import AdminApi
from tools.stack.product import ROOT

DEAD_LETTERS = "/api/v1/dead-letters"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def viewer(production: Running) -> Iterator[AdminApi]:
    email = f"{unique_name()}@example.com"
    account = ["staff", "add", email, "--role", "viewer", "--password-stdin"]
    commands.run_all([(account, f"{PASSWORD}\n")], production.product.env)
    with closing(AdminApi(production.admin.base)) as api:
        api.sign_in(email, PASSWORD)
        yield api


def publish(running: Running, name: str, body: bytes, queue: str = names.QUEUE_PRODUCTS, **headers: str) -> str:
    """Publish a message without Lockstep's code; return its task id."""
    task_id = unique_name()
    known = {"id": task_id, "task": name, "lang": "py", "root_id": None, "parent_id": None, "group": None, **headers}
    with Connection(running.product.addresses.broker_url) as connection, connection.channel() as channel:
        message = channel.prepare_message(body, None, "application/json", "utf-8", known, {"delivery_mode": 2})
        channel.basic_publish(message, names.EXCHANGE, queue)
    return task_id


def arguments(*args: Any) -> bytes:
    return json.dumps([args, {}, {}]).encode()


def state(product_id: int, **content: str) -> dict[str, Any]:
    message = ProductChanged(product_id, 1, ProductContent(**CONTENT, **TIMES)).encode()
    return {**message, "product": {**message["product"], **content}}


def listed(running: Running, **query: Any) -> dict[str, dict[str, Any]]:
    """Return what REST lists, by task id."""
    found = running.admin.ask("GET", DEAD_LETTERS, params={"limit": 100, **query}).json()["items"]
    return {dead_letter["task_id"]: dead_letter for dead_letter in found}


def collected(running: Running, *task_ids: str) -> list[dict[str, Any]]:
    """Wait until the worker rejected and collected these messages; collect at once instead of at beat's next turn."""
    found: dict[str, dict[str, Any]] = {}

    def there() -> bool:
        publish(running, names.COLLECT_DEAD_LETTERS, arguments(), names.QUEUE_MAINTENANCE)
        soon = time.monotonic() + 1
        while time.monotonic() < soon and not found.keys() >= set(task_ids):
            found.update(listed(running))
        return found.keys() >= set(task_ids)

    eventually(there, what="the dead letters")
    return [found[task_id] for task_id in task_ids]


def dead_letter_about(running: Running, product_id: int) -> dict[str, Any]:
    return collected(running, publish(running, names.SYNC_PRODUCT, arguments(state(product_id, price="cheap"))))[0]


def command(running: Running, *args: str, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**running.product.env, **changed}
    line = ["lockstep", "dead-letters", *args]
    return subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


UNREADABLE: list[tuple[bytes, str, dict[str, str]]] = [
    (b"\xff\xfe", "cannot be decoded", {}),
    (b"{broken", "cannot be decoded", {}),
    (b"5", "is not [args, kwargs, options]", {}),
    (b"[[],{},{}]", "cannot be decompressed", {"compression": "zlib"}),
    (b"[[],{},{}]", "no task is called 'tasks.unheard_of'", {"task": "tasks.unheard_of"}),
    (b"[[],{},{}]", "takes one argument, message, not 0", {}),
    (b"[[[5]],{},{}]", "message must be an object", {}),
    (b'[[{"id": 7}],{},{}]', "type must be 'product.changed.v1'", {}),
]


def test_unreadable_messages_are_listed_with_their_reasons_and_their_neighbours_arrive(
    production: Running,
) -> None:
    ids = [publish(production, names.SYNC_PRODUCT, body, **headers) for body, _, headers in UNREADABLE]
    product = production.create()
    eventually(lambda: production.arrived(product))
    found = collected(production, *ids)
    for dead_letter, (body, reason, _) in zip(found, UNREADABLE, strict=True):
        assert reason in dead_letter["reason"]
        assert (dead_letter["queue"], dead_letter["cause"], dead_letter["state"]) == (
            names.QUEUE_PRODUCTS,
            "rejected",
            "open",
        )
        assert dead_letter["payload_bytes"] == len(body)
    shown = production.admin.ask("GET", f"{DEAD_LETTERS}/{found[1]['id']}").json()
    assert (shown["payload"], shown["payload_encoding"]) == ("{broken", "text")


def test_invalid_state_in_a_batch_is_refused_with_its_reason_and_the_others_arrive(production: Running) -> None:
    batch = [state(9_000_002, price="cheap"), state(9_000_001)]
    (dead_letter,) = collected(production, publish(production, names.SYNC_PRODUCTS, arguments(batch)))
    assert dead_letter["reason"] == "product.price must be a decimal string with 2 digits after the point"
    assert dead_letter["products"] == [{"id": 9_000_002, "version": 1}]
    assert production.arrived(9_000_001)
    assert production.client.status(9_000_002) == 404


def test_message_of_the_next_release_is_no_dead_letter_and_is_sent_again(production: Running) -> None:
    product, neighbour = production.create(), state(9_000_003)
    eventually(lambda: production.arrived(product))
    newer = {**state(product, title="of tomorrow"), "sequence": 2, "type": "product.changed.v2"}
    waits = publish(production, names.SYNC_PRODUCTS, arguments([newer, neighbour]))
    eventually(lambda: production.arrived(9_000_003))
    dead_letter_about(production, 9_000_004)
    assert waits not in listed(production)
    production.admin.update(product, title="of today")
    eventually(lambda: production.arrived(product, title="of today"))


def test_resync_over_rest_repairs_the_product_and_closes_the_dead_letter(production: Running) -> None:
    product = production.create(title="Right")
    eventually(lambda: production.arrived(product, title="Right"))
    dead_letter = dead_letter_about(production, product)
    with MongoClient(production.product.addresses.mongodb_url) as mongo:
        mongo.get_default_database()["products"].update_one({"_id": product}, {"$set": {"title": "Wrong"}})
    answer = production.admin.ask("POST", f"{DEAD_LETTERS}/{dead_letter['id']}/resync")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{DEAD_LETTERS}/{dead_letter['id']}")
    assert production.admin.ask("GET", answer.headers["Location"]).json()["state"] == "resynced"
    eventually(lambda: production.arrived(product, title="Right"), what="the resync")
    assert production.admin.request("POST", f"{DEAD_LETTERS}/{dead_letter['id']}/discard").status_code == 409


def test_viewers_list_and_editors_resync_and_discard(production: Running, viewer: AdminApi) -> None:
    product = production.create()
    one, other = dead_letter_about(production, product), dead_letter_about(production, product)
    path = f"{DEAD_LETTERS}/{one['id']}"
    assert [viewer.request("GET", where).status_code for where in (DEAD_LETTERS, path)] == [200, 200]
    changes = [f"{path}/resync", f"{path}/discard"]
    assert [viewer.request("POST", where).status_code for where in changes] == [403, 403]
    bulk = [f"{DEAD_LETTERS}/resync", f"{DEAD_LETTERS}/discard"]
    assert [viewer.request("POST", where, json={"product": product}).status_code for where in bulk] == [403, 403]
    assert requests.get(f"{production.admin.base}{DEAD_LETTERS}", timeout=10).status_code == 401
    assert production.admin.request("POST", f"{path}/discard").status_code == 204
    for missing in ("0" * 32, "zz"):
        assert production.admin.request("GET", f"{DEAD_LETTERS}/{missing}").status_code == 404
        assert production.admin.request("POST", f"{DEAD_LETTERS}/{missing}/resync").status_code == 404
    result = production.admin.ask("POST", f"{DEAD_LETTERS}/discard", json={"state": "open", "product": product}).json()
    assert result == {"accepted": 1, "refused": [], "more": False}
    assert {dead_letter["id"] for dead_letter in listed(production, product=product, state="discarded").values()} == {
        one["id"],
        other["id"],
    }
    assert (
        production.admin.ask("POST", f"{DEAD_LETTERS}/resync", json={"state": "open", "product": product}).json()[
            "accepted"
        ]
        == 0
    )


def test_list_is_paged_by_its_links(production: Running) -> None:
    product = production.create()
    made = {dead_letter_about(production, product)["id"] for _ in range(3)}
    seen, path = [], f"{DEAD_LETTERS}?limit=2&product={product}"
    while path:
        answer = production.admin.ask("GET", path)
        seen += [dead_letter["id"] for dead_letter in answer.json()["items"]]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert (len(seen), set(seen)) == (3, made)
    assert production.admin.request("GET", f"{DEAD_LETTERS}?cursor=forged").status_code == 400


def test_command_line_lists_shows_resyncs_and_discards(production: Running) -> None:
    product, gone = production.create(), production.create()
    dead_letter, late = dead_letter_about(production, product), dead_letter_about(production, gone)
    nameless = collected(production, publish(production, names.SYNC_PRODUCT, b"5"))[0]
    production.admin.delete(gone)
    eventually(lambda: production.client.status(gone) == 410)

    answer = command(production, "list", "--json", "--product", str(product))
    assert [item["id"] for item in json.loads(answer.stdout)] == [dead_letter["id"]]
    shown = command(production, "show", dead_letter["id"][:12]).stdout
    assert f'"id": {product},' in shown
    assert f"queue:              {names.QUEUE_PRODUCTS}" in shown

    away = command(production, "resync", dead_letter["id"], CLIENT_ADMIN_URL=NOBODY)
    assert (away.returncode, "Admin does not answer" in away.stderr) == (4, True)
    assert listed(production)[dead_letter["task_id"]]["state"] == "open"
    done = command(production, "resync", dead_letter["id"], late["id"], nameless["id"])
    assert (done.returncode, "names no product" in done.stderr) == (1, True)
    assert {listed(production)[item["task_id"]]["state"] for item in (dead_letter, late)} == {"resynced"}
    assert listed(production)[nameless["task_id"]]["state"] == "open"
    assert production.client.status(gone) == 410

    assert command(production, "discard", nameless["id"], "--yes").returncode == 0
    assert listed(production)[nameless["task_id"]]["state"] == "discarded"


def test_interrupted_resync_leaves_the_dead_letter_open(production: Running) -> None:
    dead_letter = dead_letter_about(production, production.create())
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an Admin that accepts and never answers
        silent.settimeout(30)
        environment = {**production.product.env, "CLIENT_ADMIN_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        line = ["lockstep", "dead-letters", "resync", dead_letter["id"]]
        options: dict[str, Any] = {"env": environment, "cwd": ROOT, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(line, **options) as process, silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=30)[1]
    assert (process.returncode, "interrupted" in error, "Traceback" in error) == (130, True, False)
    assert listed(production)[dead_letter["task_id"]]["state"] == "open"
