"""Any message can be stored as a dead letter, and the same message always gets the same id."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu.transport.base import Message

from client.dead_letters.reading import MAX_PAYLOAD, read
from contract import names

DIED = datetime(2026, 11, 1, 8, tzinfo=UTC).replace(tzinfo=None)  # as the AMQP library gives it: UTC, naive


def message(body: Any, headers: dict[str, Any] | None = None, **options: Any) -> Message:
    kind = {"content_type": "application/json", "content_encoding": "utf-8", **options}
    return Message(body=body, headers=headers or {}, **kind)


def task(name: str, *args: Any, **headers: Any) -> Message:
    return message(json.dumps([args, {}, {}]).encode(), {"task": name, "id": "t1", **headers})


def death(**changed: Any) -> dict[str, Any]:
    known = {"queue": "client.products", "exchange": "lockstep", "reason": "rejected", "time": DIED, "count": 1}
    return {**known, **changed}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
HEADERS = st.dictionaries(
    st.sampled_from(["task", "id", "x-death", "compression", "x-first-death-queue", "other"]), VALUES
)


@settings(max_examples=150, deadline=None)
@given(
    body=st.binary() | st.text() | st.none() | VALUES.map(lambda value: json.dumps(value, default=repr)),
    headers=HEADERS,
    kind=st.none() | st.text(max_size=20) | st.just("application/json"),
)
def test_any_garbage_becomes_a_document(body: Any, headers: dict[str, Any], kind: str | None) -> None:
    dead_letter = read(message(body, headers, content_type=kind))
    assert dead_letter["reason"]
    bson.encode(dead_letter)


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from([names.SYNC_PRODUCT, names.SYNC_PRODUCTS, names.RESYNC_PRODUCT, names.FORWARD_LIKES]),
    arg=VALUES,
)
def test_any_argument_of_a_task_becomes_a_document(name: str, arg: Any) -> None:
    body = json.dumps([[arg], {}, {}], default=repr).encode("utf-8", "surrogatepass")
    bson.encode(read(message(body, {"task": name})))


def test_queue_and_cause_are_those_of_the_latest_death() -> None:
    dead_letter = read(
        task(names.RESYNC_PRODUCT, 7, **{"x-death": [death(), death(queue="elsewhere", reason="expired")]})
    )
    assert (dead_letter["queue"], dead_letter["exchange"], dead_letter["cause"]) == (
        "client.products",
        "lockstep",
        "rejected",
    )
    assert dead_letter["died_at"] == DIED.replace(tzinfo=UTC)
    assert (dead_letter["task"], dead_letter["task_id"], dead_letter["products"]) == (
        "tasks.resync_product",
        "t1",
        [{"id": 7, "sequence": None}],
    )


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("delivery_limit", "its worker died"),
        ("expired", "no worker received it"),
        ("maxlen", "maxlen"),
        ("rejected", "log"),
    ],
)
def test_reason_of_a_valid_message_is_its_cause(cause: str, reason: str) -> None:
    assert reason in read(task(names.RESYNC_PRODUCT, 7, **{"x-death": [death(reason=cause)]}))["reason"]


def test_id_is_the_same_for_each_delivery_and_differs_for_another_death() -> None:
    first = read(task(names.RESYNC_PRODUCT, 7, **{"x-death": [death()]}))["_id"]
    again = read(task(names.RESYNC_PRODUCT, 7, **{"x-death": [death()], "x-delivery-count": 3, "x-acquired-count": 4}))
    later = read(task(names.RESYNC_PRODUCT, 7, **{"x-death": [death(count=2)]}))
    assert again["_id"] == first != later["_id"]


def test_payload_is_text_where_possible_and_cut_where_too_long() -> None:
    assert read(message(b"{}"))["payload"] == "{}"
    binary = read(message(b"\xff" * (MAX_PAYLOAD + 1)))
    assert (binary["payload_encoding"], binary["payload_cut"]) == ("base64", True)
    assert base64.b64decode(binary["payload"]) == b"\xff" * MAX_PAYLOAD


def test_products_are_limited_and_the_others_counted() -> None:
    dead_letter = read(task(names.RESYNC_PRODUCTS, list(range(1, 702))))
    assert (len(dead_letter["products"]), dead_letter["products_left_out"]) == (500, 201)


NO_ID = f"is not a product id; ids are whole numbers from 1 to {2**63 - 1}"


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "reason"),
    [
        (names.RESYNC_PRODUCT, [], {}, "tasks.resync_product takes one argument, product_id, not 0"),
        (names.RESYNC_PRODUCT, [1, 2], {}, "tasks.resync_product takes one argument, product_id, not 2"),
        (names.RESYNC_PRODUCT, [], {"id": 1}, "tasks.resync_product takes no argument 'id', only product_id"),
        *((names.RESYNC_PRODUCT, [id_], {}, f"{id_!r} {NO_ID}") for id_ in ("42", 0, True, 10**20)),
        (names.RESYNC_PRODUCTS, [42], {}, "product_ids must be a list of ids such as [42], not 42"),
        (names.RESYNC_PRODUCTS, [[]], {}, "product_ids is empty; name at least one product"),
        (names.RESYNC_PRODUCTS, [[1, None]], {}, f"None {NO_ID}"),
        (names.RESYNC_PRODUCTS, [list(range(1, 502))], {}, "product_ids has 501 ids; the limit of one task is 500"),
        (names.SYNC_PRODUCTS, ["x"], {}, "messages must be a list"),
    ],
)
def test_reason_names_the_wrong_argument(name: str, args: list[Any], kwargs: dict[str, Any], reason: str) -> None:
    body = json.dumps([args, kwargs, {}]).encode()
    assert read(message(body, {"task": name}))["reason"] == reason
