"""Dead letters on a real broker and a MongoDB-wire server: collected, read, resynced and discarded."""

import base64
import json
import pickle
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kombu import Connection

from client import worker
from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.config import ClientSettings
from client.dead_letters import collect, queries, reading, service
from client.dead_letters.documents import DISCARDED, OPEN, RESYNCED, DeadLetter
from client.dead_letters.queries import Filter
from client.replica import apply, failures
from client.replica.documents import ProductCopy, SyncFailure
from contract import names, topology
from contract.messages import InvalidMessageError, ProductChanged, ProductContent
from lockstep.main import cli
from tests.flow.running import eventually
from tests.flow.stores import CONTENT, TIMES, set_environment, unique_name
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.valkey import Valkey

JSON = "application/json"

pytestmark = pytest.mark.usefixtures("client_store")


class Broker:
    """Publishes to the product queue and rejects each message, as a worker does that cannot read it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = Connection(url)
        topology.declare(self._connection)
        self._channel = self._connection.channel()
        self.dead = 0

    def publish(self, body: bytes, headers: dict[str, Any], content_type: str = JSON, where: str = "") -> None:
        message = self._channel.prepare_message(
            body, content_type=content_type, headers=headers, properties={"delivery_mode": 2}
        )
        self._channel.basic_publish(message, where or names.EXCHANGE, names.QUEUE_PRODUCTS)

    def refuse(self, *args: Any, times: int = 1, **options: Any) -> None:
        """Publish and reject; with ``times`` > 1, requeue until the delivery limit is reached."""
        self.publish(*args, **options)
        for _ in range(times):
            taken: list[Any] = []
            eventually(lambda taken=taken: bool(taken.append(self._get()) or taken[-1]), what="the message")  # type: ignore[misc]
            self._channel.basic_reject(taken[-1].delivery_tag, requeue=times > 1)
        self.dead += 1
        eventually(lambda: self.depth() == self.dead, what="the dead letter")

    def refuse_task(self, task: str, *args: Any, times: int = 1) -> None:
        self.refuse(json.dumps([args, {}, {}]).encode(), {"task": task, "id": str(uuid.uuid4())}, times=times)

    def depth(self, queue: str = names.QUEUE_DEAD) -> int:
        return int(self._channel.queue_declare(queue, passive=True).message_count)

    def collect(self, **options: Any) -> int:
        moved = collect.collect(Connection(self.url), **options)
        self.dead -= moved
        return moved

    def purge(self) -> None:
        for queue in (names.QUEUE_DEAD, names.QUEUE_PRODUCTS):
            self._channel.queue_purge(queue)
        self.dead = 0

    def close(self) -> None:
        self._connection.close()

    def _get(self) -> Any:
        return self._channel.basic_get(names.QUEUE_PRODUCTS)


@pytest.fixture(scope="module")
def _broker(rabbitmq: RabbitMQ) -> Iterator[Broker]:
    broker = Broker(rabbitmq.create_vhost(unique_name()))
    yield broker
    broker.close()


@pytest.fixture
def broker(_broker: Broker) -> Broker:
    _broker.purge()
    return _broker


def state(product_id: int, sequence: int = 1) -> dict[str, Any]:
    return ProductChanged(product_id, sequence, ProductContent(**CONTENT, **TIMES)).encode()


def invalid(product_id: int, sequence: int = 1) -> dict[str, Any]:
    message = state(product_id, sequence)
    return {**message, "product": {**message["product"], "price": "cheap"}}


def only() -> dict[str, Any]:
    (dead_letter,) = queries.find(Filter(), 10)
    return queries.get(dead_letter["_id"])


def stored(**fields: Any) -> dict[str, Any]:
    """Store a dead letter without a broker."""
    now = datetime.now(UTC)
    dead_letter = {
        **{
            "_id": uuid.uuid4().hex,
            "queue": names.QUEUE_PRODUCTS,
            "exchange": "",
            "cause": "rejected",
            "reason": "bad",
        },
        **{"task": names.SYNC_PRODUCT, "task_id": "", "products": [{"id": 1, "sequence": 1}], "products_left_out": 0},
        **{"payload": "", "payload_encoding": "text", "payload_bytes": 0, "payload_cut": False},
        **{"state": OPEN, "by": "", "died_at": now, "collected_at": now, "at": now, **fields},
    }
    DeadLetter._get_collection().insert_one(dead_letter)
    return dead_letter


SYNC = {"task": names.SYNC_PRODUCT}


@pytest.mark.parametrize(
    ("body", "headers", "content_type", "reason"),
    [
        (b"\xff\xfe", SYNC, JSON, "cannot be decoded"),
        (b"{broken", SYNC, JSON, "cannot be decoded"),
        (b"5", SYNC, JSON, "not [args, kwargs, options]"),
        (b"[[],{},{}]", {"task": "tasks.nobody_knows"}, JSON, "no task is called 'tasks.nobody_knows'"),
        (b"[[],{},{}]", {}, JSON, "no task"),
        (pickle.dumps([[], {}, {}]), SYNC, "application/x-python-serialize", "cannot be decoded"),
        (b"[[],{},{}]", {**SYNC, "compression": "zlib"}, JSON, "cannot be decompressed"),
        (b"[[],{},{}]", SYNC, JSON, "takes one argument, message, not 0"),
        (b"[[[5]],{},{}]", SYNC, JSON, "must be an object"),
        (b'[[{"id": 7}],{},{}]', SYNC, JSON, "type must be"),
    ],
)
def test_unreadable_message_becomes_a_dead_letter_with_queue_reason_and_payload(
    broker: Broker, body: bytes, headers: dict[str, Any], content_type: str, reason: str
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # the broker gives whole seconds
    broker.refuse(body, headers, content_type)
    assert broker.collect() == 1
    dead_letter = only()
    assert reason in dead_letter["reason"]
    assert (dead_letter["queue"], dead_letter["exchange"], dead_letter["cause"]) == (
        names.QUEUE_PRODUCTS,
        names.EXCHANGE,
        "rejected",
    )
    assert (dead_letter["state"], dead_letter["task"]) == (OPEN, headers.get("task", ""))
    assert before < dead_letter["died_at"] < datetime.now(UTC) + timedelta(seconds=2)
    text = dead_letter["payload"]
    assert (base64.b64decode(text) if dead_letter["payload_encoding"] == "base64" else text.encode()) == body
    assert broker.depth() == 0


def test_dead_letter_of_a_batch_names_only_the_refused_products(broker: Broker) -> None:
    broker.refuse_task(names.SYNC_PRODUCTS, [state(1), invalid(2, 3), {"id": 3}])
    broker.collect()
    dead_letter = only()
    assert dead_letter["products"] == [{"id": 2, "sequence": 3}, {"id": 3, "sequence": None}]
    assert dead_letter["reason"].startswith("product.price must be a decimal string")


def test_state_that_makes_a_task_fail_does_not_stop_the_collection(broker: Broker) -> None:
    message = state(1)
    message["product"]["created_at"] = "0001-01-01T00:00:00+23:59"
    broker.refuse_task(names.SYNC_PRODUCT, message)
    broker.refuse_task(names.RESYNC_PRODUCT, 42)
    assert broker.collect() == 2
    products = [dead_letter["products"] for dead_letter in queries.find(Filter(), 10)]
    assert [{"id": 42, "sequence": None}] in products


def test_message_that_ended_its_worker_records_the_failure_unless_a_newer_one_is_recorded(broker: Broker) -> None:
    apply.apply([ProductChanged.decode(state(1, 5))])
    failures.record(InvalidMessageError("newer", 2, 9))
    failures.record(InvalidMessageError("older", 3, 4))
    broker.refuse_task(names.SYNC_PRODUCTS, [state(product, 5) for product in (1, 2, 3, 4)], times=6)
    broker.collect()
    assert (only()["cause"], [product["id"] for product in only()["products"]]) == ("delivery_limit", [1, 2, 3, 4])
    recorded = {doc["_id"]: (doc["sequence"], doc["reason"]) for doc in SyncFailure._get_collection().find()}
    assert recorded == {2: (9, "newer"), 3: (5, only()["reason"]), 4: (5, only()["reason"])}


def test_message_without_headers_is_stored(broker: Broker) -> None:
    broker.publish(b"", {}, "", where=names.DEAD_LETTER_EXCHANGE)
    eventually(lambda: broker.depth() == 1)
    assert broker.collect() == 1
    assert (only()["queue"], only()["exchange"], only()["cause"]) == ("", names.DEAD_LETTER_EXCHANGE, "")
    assert only()["reason"] == "the headers name no task"


def test_message_delivered_twice_is_one_dead_letter_and_its_state_stays(broker: Broker) -> None:
    """After a crash between write and acknowledgement the broker delivers the message again."""
    broker.refuse_task(names.SYNC_PRODUCT, invalid(1))
    with Connection(broker.url) as crashing:
        channel = crashing.channel()
        collect.store(channel.message_to_python(channel.basic_get(names.QUEUE_DEAD)))
    service.discard([only()], "ann")
    eventually(lambda: broker.depth() == 1)
    assert broker.collect() == 1
    assert (only()["state"], only()["by"]) == (DISCARDED, "ann")


def test_messages_that_differ_only_in_their_task_id_are_two_dead_letters(broker: Broker) -> None:
    for _ in range(2):
        broker.refuse_task(names.SYNC_PRODUCT, invalid(1))
    broker.collect()
    assert len(queries.find(Filter(product=1), 10)) == 2


def test_dead_letters_beyond_the_limit_stay_in_the_queue(broker: Broker) -> None:
    for product in (1, 2, 3):
        broker.refuse_task(names.SYNC_PRODUCT, invalid(product))
    assert (broker.collect(limit=2), broker.collect(limit=2), broker.depth()) == (2, 0, 1)


def test_nothing_is_collected_over_valkey(valkey: Valkey) -> None:
    assert collect.collect(Connection(valkey.url())) == 0


def test_collection_while_the_broker_is_down_raises() -> None:
    with pytest.raises(collect.BrokerUnavailableError, match="does not answer"):
        collect.collect(Connection("amqp://nobody:nothing@127.0.0.1:1//", connect_timeout=1))


def test_large_payload_is_cut_between_characters(broker: Broker) -> None:
    body = b'"' + "é".encode() * reading.MAX_PAYLOAD + b'"'
    broker.refuse(body, SYNC)
    broker.collect()
    dead_letter = only()
    assert (dead_letter["payload_cut"], dead_letter["payload_bytes"]) == (True, len(body))
    assert dead_letter["payload"] == body[: reading.MAX_PAYLOAD - 1].decode()


def test_filters_and_pages_find_every_dead_letter_once_newest_first() -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    made = [
        stored(died_at=moment - timedelta(seconds=n // 2), products=[{"id": n % 3 + 1, "sequence": 1}])
        for n in range(9)
    ]
    stored(reason="Price [is] wrong", state=RESYNCED)
    expected = sorted(made, key=lambda dead_letter: (dead_letter["died_at"], dead_letter["_id"]), reverse=True)
    assert [dead_letter["_id"] for dead_letter in queries.each(Filter(OPEN), chunk=2)] == [
        dead_letter["_id"] for dead_letter in expected
    ]
    assert len(queries.find(Filter(OPEN, product=2), 10)) == 3
    assert [dead_letter["state"] for dead_letter in queries.find(Filter(reason="price [IS]"), 10)] == [RESYNCED]


def test_unambiguous_beginning_of_an_id_is_enough() -> None:
    for id_ in ("aa01", "aa02", "ab"):
        stored(_id=id_)
    assert queries.get("ab")["_id"] == "ab"
    assert queries.get("aa01")["_id"] == "aa01"
    for id_, error in (("aa", "more than one"), ("ac", "no dead letter"), ("$ne", "no dead letter")):
        with pytest.raises(queries.NotFoundError, match=error):
            queries.get(id_)


def test_resync_with_admin_down_leaves_the_dead_letter_open(client_store: ClientSettings) -> None:
    dead_letter = stored()
    with pytest.raises(AdminUnavailableError):
        service.resync(AdminGateway(client_store), dead_letter, "ann")
    assert queries.get(dead_letter["_id"])["state"] == OPEN


class FakeAdmin(AdminGateway):
    """Answers with product 1, at any sequence; notes the state of the dead letter when it is asked."""

    def __init__(self, dead_letter: dict[str, Any]) -> None:
        self._id = dead_letter["_id"]
        self.states_seen: list[str] = []

    def product_states(self, product_ids: Sequence[int]) -> tuple[list[ProductChanged], list[InvalidMessageError]]:
        self.states_seen.append(queries.get(self._id)["state"])
        return [ProductChanged.decode(state(1, 7)) for id_ in product_ids if id_ == 1], []


def test_resync_applies_admin_s_state_before_it_is_recorded_and_may_be_repeated() -> None:
    dead_letter = stored(products=[{"id": 1, "sequence": 1}, {"id": 404, "sequence": 1}])
    admin = FakeAdmin(dead_letter)
    for _ in range(2):
        assert service.resync(admin, dead_letter, "ann") == [1, 404]
        assert ProductCopy._get_collection().find_one({"_id": 1})["sequence"] == 7
    assert admin.states_seen == [OPEN, RESYNCED]
    found = queries.get(dead_letter["_id"])
    assert (found["state"], found["by"]) == (RESYNCED, "ann")


def test_resync_of_products_that_admin_never_had_is_refused() -> None:
    dead_letter = stored(products=[{"id": 404, "sequence": 1}])
    with pytest.raises(service.RefusedError, match="Admin never had its products"):
        service.resync(FakeAdmin(dead_letter), dead_letter, "ann")
    assert queries.get(dead_letter["_id"])["state"] == OPEN


def test_dead_letter_without_a_product_can_only_be_discarded(client_store: ClientSettings) -> None:
    dead_letter = stored(products=[])
    with pytest.raises(service.RefusedError, match="names no product"):
        service.resync(AdminGateway(client_store), dead_letter, "ann")
    assert "names no product" in service.record_resync([dead_letter], "ann")[dead_letter["_id"]]
    assert queries.get(dead_letter["_id"])["state"] == OPEN
    assert service.discard([dead_letter], "ann") == {}
    assert queries.get(dead_letter["_id"])["state"] == DISCARDED


def test_resynced_dead_letter_is_not_discarded() -> None:
    dead_letter = stored(state=RESYNCED)
    assert service.discard([dead_letter], "ann") == {dead_letter["_id"]: "it is already resynced"}
    service.discard([{**dead_letter, "state": OPEN}], "ann")  # read before another person resynced it
    assert queries.get(dead_letter["_id"])["state"] == RESYNCED


def test_closed_dead_letters_are_removed_after_a_month_and_open_ones_never() -> None:
    old = datetime.now(UTC) - service.RETENTION - timedelta(minutes=1)
    gone = [stored(state=state, at=old)["_id"] for state in (RESYNCED, DISCARDED)]
    stay = {stored(state=OPEN, at=old)["_id"], stored(state=RESYNCED)["_id"]}
    assert (service.purge(), service.purge()) == (len(gone), 0)
    assert {found["_id"] for found in queries.find(Filter(), 10)} == stay


@pytest.fixture
def command(client_store: ClientSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run ``lockstep dead-letters`` in this process, on the test's store, without a broker."""
    set_environment(monkeypatch, client_store)
    worker.gateway.cache_clear()
    yield lambda *args: CliRunner().invoke(cli, ["dead-letters", *args])
    worker.gateway.cache_clear()


def test_list_works_without_the_broker_and_escapes_control_characters(
    command: Callable[..., Result],
) -> None:
    stored(
        _id="ab12",
        reason="[red]\x1b[2Jbad\nnews",
        task="tasks.\x9bx",
        products=[{"id": n, "sequence": 1} for n in range(5)],
    )
    result = command("list")
    assert (result.exit_code, "Continuing with the dead letters collected before" in result.stderr) == (0, True)
    assert "[red]\\x1b[2Jbad news" in result.stdout
    assert "0, 1, 2 and 2 more" in result.stdout
    assert not set("\x1b\x9b") & set(result.stdout)
    assert "bad" not in command("list", "--state", "resynced").stdout


def test_dry_run_changes_nothing_and_all_needs_a_confirmation(command: Callable[..., Result]) -> None:
    dead = [stored(products=[{"id": 7, "sequence": None}]), stored(products=[])]
    result = command("resync", "--all", "--dry-run")
    assert (result.exit_code, result.stdout) == (1, f"would resync {dead[0]['_id']} product 7\n")
    refused = command("resync", "--all")
    assert (refused.exit_code, "Add --yes" in refused.stderr) == (2, True)
    assert command("discard", dead[0]["_id"]).exit_code == 2
    assert len(queries.find(Filter(OPEN), 10)) == 2
    assert command("discard", "--all", "--reason", "nothing like it", "--yes").exit_code == 0
    assert len(queries.find(Filter(OPEN), 10)) == 2
    assert command("discard", "--all", "--yes").exit_code == 0
    assert queries.find(Filter(OPEN), 10) == []


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (["resync"], 2, "Give ids, or --all"),
        (["resync", "ab", "--all"], 2, "Give ids, or --all"),
        (["resync", "ab", "--product", "1"], 2, "Give ids, or --all"),
        (["show", "zz"], 1, "there is no dead letter 'zz'"),
        (["list", "--state", "lost"], 2, "'lost' is not one of"),
    ],
)
def test_command_with_wrong_arguments_fails_with_a_clear_error(
    command: Callable[..., Result], args: list[str], code: int, error: str
) -> None:
    result = command(*args)
    assert (result.exit_code, error in result.stderr) == (code, True)


def test_resync_while_admin_is_down_exits_with_4(command: Callable[..., Result]) -> None:
    dead_letter = stored()
    result = command("resync", dead_letter["_id"][:10])
    assert (result.exit_code, "Admin does not answer" in result.stderr, result.stdout) == (4, True, "")
    assert queries.get(dead_letter["_id"])["state"] == OPEN
