"""A publisher or a holder of a service key cannot store a state that Admin could not produce."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import requests
from kombu import Connection
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from contract import names
from contract.messages import ProductChanged, ProductContent
from tests.flow.running import eventually
from tests.flow.stores import CONTENT, TIMES, unique_name
from tests.security.callers import TIMEOUT
from tests.security.conftest import System
from tools.stack import commands
from web.security.signatures import SignedBy, parse_keys

FORGED = {
    9_100_001: ("title", "x" * 5_000_000, "product.title: Must have at most 200"),
    9_100_002: ("title", "", "product.title: Must have a visible"),
    9_100_003: ("sku", "", "product.sku: Must be"),
    9_100_004: ("image_url", "javascript:alert(1)", "product.image_url: Must be"),
    9_100_005: ("image_url", "data:text/html,<script>alert(1)</script>", "product.image_url: Must be"),
    9_100_006: ("currency", "X" * 1_000, "product.currency must be"),
    9_100_007: ("title", "half \ud800", "product.title: Must contain only complete Unicode"),
}


@pytest.fixture(scope="module", autouse=True)
def _no_difference_is_left(system: System) -> Iterator[None]:
    """The other tests of this system expect both stores to be equal."""
    yield
    addresses = system.running.product.addresses
    with create_engine(addresses.database_url).begin() as connection:
        connection.execute(
            text("UPDATE products SET title = :right WHERE title IN ('', 'By hand')"), {"right": CONTENT["title"]}
        )
    commands.Command(["sync", "diff", "--repair", "--yes"], system.running.product.env).finish()
    eventually(lambda: drift(system) == 0, what="the end of the drift")


def drift(system: System) -> int:
    found = system.staff["owner"].ask("GET", "/api/v1/replication").json()["drift"]
    return int(found["confirmed"] + found["suspected"])


def state(product_id: int, **content: str) -> dict[str, Any]:
    """Return a forged message with a matching checksum."""
    return ProductChanged(product_id, 1, ProductContent(**{**CONTENT, **TIMES, **content})).encode()


def forged() -> list[dict[str, Any]]:
    return [state(product_id, **{name: value}) for product_id, (name, value, _reason) in FORGED.items()]


def publish(system: System, argument: list[Any], name: str = names.SYNC_PRODUCTS) -> None:
    body = json.dumps([[argument], {}, {}]).encode()
    task = {"id": unique_name(), "task": name, "lang": "py", "root_id": None, "parent_id": None}
    broker = system.running.product.addresses.broker_url
    with Connection(broker) as connection, connection.channel() as channel:
        message = channel.prepare_message(body, None, "application/json", "utf-8", task, {"delivery_mode": 2})
        channel.basic_publish(message, names.EXCHANGE, names.QUEUE_PRODUCTS)


def ask(system: System, path: str, body: dict[str, Any]) -> Any:
    signer = SignedBy(parse_keys(SecretStr(system.running.product.env["SERVICE_KEYS"])), "client")
    answer = requests.post(f"{system.client_url}/service/v1/products/{path}", json=body, auth=signer, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reasons(system: System, product_ids: Iterable[int]) -> dict[int, str]:
    """Return the Client's reasons for refusing states of these products."""
    found = ask(system, "replica-states", {"ids": list(product_ids)})["states"]
    return {item["id"]: item["failure"] for item in found if item["failure"]}


def test_forged_states_of_a_batch_are_refused_with_reasons_and_others_arrive(system: System) -> None:
    publish(system, [state(9_100_000), *forged(), state(9_100_099)])
    for neighbour in (9_100_000, 9_100_099):
        eventually(lambda neighbour=neighbour: system.running.arrived(neighbour), what="the neighbours")  # type: ignore[misc]
    eventually(lambda: reasons(system, FORGED).keys() == FORGED.keys(), what="the reasons")
    told = reasons(system, FORGED)
    for product_id, (_name, _value, reason) in FORGED.items():
        assert reason in told[product_id]
        assert system.running.client.status(product_id) == 404


def test_forged_states_of_a_repair_are_refused_with_reasons_and_others_repaired(
    system: System,
) -> None:
    bad = [{**one, "id": one["id"] + 100_000} for one in forged() if len(str(one)) < 100_000]  # within the size limit
    states = [state(9_200_000), *bad, state(9_200_099)]
    repairs = [{"id": one["id"], "seen": None, "state": one} for one in states]
    outcomes = dict(ask(system, "repair", {"repairs": repairs})["outcomes"])
    assert outcomes == {9_200_000: "repaired", 9_200_099: "repaired", **{one["id"]: "invalid" for one in bad}}
    assert reasons(system, outcomes).keys() == {one["id"] for one in bad}


def test_product_made_invalid_in_sql_blocks_no_other_from_being_resynced(system: System) -> None:
    spoilt, neighbour = system.running.create(), system.running.create()
    eventually(lambda: system.running.arrived(spoilt) and system.running.arrived(neighbour), what="both")
    with create_engine(system.running.product.addresses.database_url).begin() as connection:
        for title, product_id in (("", spoilt), ("By hand", neighbour)):
            connection.execute(text("UPDATE products SET title = :t WHERE id = :id"), {"t": title, "id": product_id})
    publish(system, [spoilt, neighbour], names.RESYNC_PRODUCTS)
    eventually(lambda: system.running.arrived(neighbour, title="By hand"), what="the neighbour")
