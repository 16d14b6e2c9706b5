"""Dead letters on a real broker and a MongoDB-wire server: origin, reason, products, and what people do with them."""

import base64
import json
import pickle
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kombu import Connection

from client import worker
from client.admin_gateway import AdminGateway, AdminUnavailableError
from client.config import ClientSettings
from client.dead_letters import collect, queries, reading, service
from client.dead_letters.documents import DISCARDED, NEW, REPLAYED, REPLAYING, DeadLetter
from client.dead_letters.queries import Filter
from client.replica import apply, failures
from client.replica.documents import SyncFailure
from contract import names, topology
from contract.messages import InvalidMessageError, ProductChanged, ProductContent
from lockstep import celery_commands
from tests.flow.running import eventually
from tests.flow.stores import CONTENT, unique_name
from tools.stack.servers.rabbitmq import RabbitMQ
from tools.stack.servers.valkey import Valkey

TIMES = {"created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.125Z"}
JSON = "application/json"

pytestmark = pytest.mark.usefixtures("client_store")


class Broker:
    """Publishes to the product queue and refuses what comes out of it, as a worker that cannot read it would."""

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
        """Publish and reject; with ``times``, give it back until the delivery limit strikes."""
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
    (letter,) = queries.find(Filter(), 10)
    return queries.get(letter["_id"])


def kept(**fields: Any) -> dict[str, Any]:
    """A letter in the store, without a broker."""
    now = datetime.now(UTC)
    letter = {
        **{
            "_id": uuid.uuid4().hex,
            "queue": names.QUEUE_PRODUCTS,
            "exchange": "",
            "cause": "rejected",
            "reason": "bad",
        },
        **{"task": names.SYNC_PRODUCT, "task_id": "", "products": [{"id": 1, "sequence": 1}], "products_left_out": 0},
        **{"payload": "", "payload_encoding": "text", "payload_bytes": 0, "payload_cut": False},
        **{"state": NEW, "by": "", "error": "", "died_at": now, "collected_at": now, "at": now, **fields},
    }
    DeadLetter._get_collection().insert_one(letter)
    return letter


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
def test_what_cannot_be_read_becomes_a_letter_with_origin_reason_and_payload(
    broker: Broker, body: bytes, headers: dict[str, Any], content_type: str, reason: str
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # the broker tells whole seconds
    broker.refuse(body, headers, content_type)
    assert broker.collect() == 1
    letter = only()
    assert reason in letter["reason"]
    assert (letter["queue"], letter["exchange"], letter["cause"]) == (names.QUEUE_PRODUCTS, names.EXCHANGE, "rejected")
    assert (letter["state"], letter["task"]) == (NEW, headers.get("task", ""))
    assert before < letter["died_at"] < datetime.now(UTC) + timedelta(seconds=2)
    text = letter["payload"]
    assert (base64.b64decode(text) if letter["payload_encoding"] == "base64" else text.encode()) == body
    assert broker.depth() == 0


def test_letter_of_a_batch_names_the_refused_products_only(broker: Broker) -> None:
    broker.refuse_task(names.SYNC_PRODUCTS, [state(1), invalid(2, 3), {"id": 3}])
    broker.collect()
    letter = only()
    assert letter["products"] == [{"id": 2, "sequence": 3}, {"id": 3, "sequence": None}]
    assert letter["reason"].startswith("product.price must be a decimal string")


def test_state_that_a_worker_trips_over_does_not_stop_the_collector(broker: Broker) -> None:
    message = state(1)
    message["product"]["created_at"] = "0001-01-01T00:00:00+23:59"
    broker.refuse_task(names.SYNC_PRODUCT, message)
    broker.refuse_task(names.RESYNC_PRODUCT, 42)
    assert broker.collect() == 2
    products = [letter["products"] for letter in queries.find(Filter(), 10)]
    assert [{"id": 42, "sequence": None}] in products


def test_message_that_ended_its_worker_tells_admin_why_unless_something_newer_is_known(broker: Broker) -> None:
    apply.apply([ProductChanged.decode(state(1, 5))])
    failures.note(InvalidMessageError("newer", 2, 9))
    failures.note(InvalidMessageError("older", 3, 4))
    broker.refuse_task(names.SYNC_PRODUCTS, [state(product, 5) for product in (1, 2, 3, 4)], times=6)
    broker.collect()
    assert (only()["cause"], [product["id"] for product in only()["products"]]) == ("delivery_limit", [1, 2, 3, 4])
    noted = {doc["_id"]: (doc["sequence"], doc["reason"]) for doc in SyncFailure._get_collection().find()}
    assert noted == {2: (9, "newer"), 3: (5, only()["reason"]), 4: (5, only()["reason"])}


def test_garbage_without_any_header_is_kept(broker: Broker) -> None:
    broker.publish(b"", {}, "", where=names.DEAD_LETTER_EXCHANGE)
    eventually(lambda: broker.depth() == 1)
    assert broker.collect() == 1
    assert (only()["queue"], only()["exchange"], only()["cause"]) == ("", names.DEAD_LETTER_EXCHANGE, "")
    assert only()["reason"] == "the headers name no task"


def test_message_delivered_twice_is_one_letter_and_what_became_of_it_stays(broker: Broker) -> None:
    """A crash between write and ack, as the collector meets it: written, not acknowledged, delivered again."""
    broker.refuse_task(names.SYNC_PRODUCT, invalid(1))
    with Connection(broker.url) as crashing:
        channel = crashing.channel()
        collect.keep(channel.message_to_python(channel.basic_get(names.QUEUE_DEAD)))
    service.discard(only(), "ann")
    eventually(lambda: broker.depth() == 1)
    assert broker.collect() == 1
    assert (only()["state"], only()["by"]) == (DISCARDED, "ann")


def test_two_messages_alike_in_all_but_their_task_id_are_two_letters(broker: Broker) -> None:
    for _ in range(2):
        broker.refuse_task(names.SYNC_PRODUCT, invalid(1))
    broker.collect()
    assert len(queries.find(Filter(product=1), 10)) == 2


def test_queue_keeps_what_goes_beyond_the_number_kept(broker: Broker) -> None:
    for product in (1, 2, 3):
        broker.refuse_task(names.SYNC_PRODUCT, invalid(product))
    assert (broker.collect(limit=2), broker.collect(limit=2), broker.depth()) == (2, 0, 1)


def test_nothing_is_collected_over_valkey(valkey: Valkey) -> None:
    assert collect.collect(Connection(valkey.url())) == 0


def test_broker_that_is_away_is_told() -> None:
    with pytest.raises(collect.BrokerUnavailableError, match="does not answer"):
        collect.collect(Connection("amqp://nobody:nothing@127.0.0.1:1//", connect_timeout=1))


def test_large_payload_is_cut_between_characters_and_says_so(broker: Broker) -> None:
    body = b'"' + "é".encode() * reading.MAX_PAYLOAD + b'"'
    broker.refuse(body, SYNC)
    broker.collect()
    letter = only()
    assert (letter["payload_cut"], letter["payload_bytes"]) == (True, len(body))
    assert letter["payload"] == body[: reading.MAX_PAYLOAD - 1].decode()


def test_filters_and_keyset_find_every_letter_once_newest_first() -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    made = [
        kept(died_at=moment - timedelta(seconds=n // 2), products=[{"id": n % 3 + 1, "sequence": 1}]) for n in range(9)
    ]
    kept(reason="Price [is] wrong", state=REPLAYED)
    expected = sorted(made, key=lambda letter: (letter["died_at"], letter["_id"]), reverse=True)
    assert [letter["_id"] for letter in queries.each(Filter(NEW), chunk=2)] == [letter["_id"] for letter in expected]
    assert len(queries.find(Filter(NEW, product=2), 10)) == 3
    assert [letter["state"] for letter in queries.find(Filter(reason="price [IS]"), 10)] == [REPLAYED]


def test_beginning_of_an_id_is_enough_while_it_is_unambiguous() -> None:
    for id_ in ("aa01", "aa02", "ab"):
        kept(_id=id_)
    assert queries.get("ab")["_id"] == "ab"
    assert queries.get("aa01")["_id"] == "aa01"
    for id_, told in (("aa", "more than one"), ("ac", "no dead letter"), ("$ne", "no dead letter")):
        with pytest.raises(queries.NoSuchLetterError, match=told):
            queries.get(id_)


def test_replay_with_admin_down_leaves_the_letter_as_it_was(client_store: ClientSettings) -> None:
    letter = kept()
    with pytest.raises(AdminUnavailableError):
        service.replay(AdminGateway(client_store), letter, "ann")
    assert queries.get(letter["_id"])["state"] == NEW


def test_requested_replay_waits_for_admin_and_comes_again(client_store: ClientSettings) -> None:
    letter = kept()
    service.request_replay(letter, "ann")
    assert service.overdue() == []
    service.finish_replay(AdminGateway(client_store), letter["_id"])
    waiting = queries.get(letter["_id"])
    assert (waiting["state"], waiting["by"]) == (REPLAYING, "ann")
    assert "Admin does not answer" in waiting["error"]
    long_ago = datetime.now(UTC) - service.OVERDUE - timedelta(seconds=1)
    DeadLetter._get_collection().update_one({"_id": letter["_id"]}, {"$set": {"tried_at": long_ago}})
    assert service.overdue() == [letter["_id"]]
    assert service.overdue() == []


def test_letter_that_names_no_product_cannot_be_replayed_but_discarded(client_store: ClientSettings) -> None:
    letter = kept(products=[])
    attempts: list[Callable[[], Any]] = [
        lambda: service.replay(AdminGateway(client_store), letter, "ann"),
        lambda: service.request_replay(letter, "ann"),
    ]
    for attempt in attempts:
        with pytest.raises(service.NotReplayableError, match="names no product"):
            attempt()
    service.discard(letter, "ann")
    assert queries.get(letter["_id"])["state"] == DISCARDED


def test_what_was_replayed_is_not_discarded() -> None:
    letter = kept(state=REPLAYED)
    with pytest.raises(service.AlreadyReplayedError):
        service.discard(letter, "ann")
    service.discard({**letter, "state": NEW}, "ann")  # seen before somebody else replayed it
    assert queries.get(letter["_id"])["state"] == REPLAYED


def test_settled_letters_go_after_a_month_and_new_ones_never() -> None:
    old = datetime.now(UTC) - service.KEPT - timedelta(minutes=1)
    gone = [kept(state=state, at=old)["_id"] for state in (REPLAYED, DISCARDED)]
    stay = {kept(state=state, at=old)["_id"] for state in (NEW, REPLAYING)} | {kept(state=REPLAYED)["_id"]}
    assert (service.purge(), service.purge()) == (len(gone), 0)
    assert {letter["_id"] for letter in queries.find(Filter(), 10)} == stay


@pytest.fixture
def command(client_store: ClientSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """``celery dead`` in this process, on the test's store; no broker is there."""
    monkeypatch.setenv("CLIENT_MONGODB_URL", client_store.client_mongodb_url.get_secret_value())
    monkeypatch.setenv("CLIENT_SECRET_KEY", client_store.client_secret_key.get_secret_value())
    monkeypatch.setenv("CLIENT_ADMIN_URL", client_store.client_admin_url)
    monkeypatch.setenv("SERVICE_KEYS", client_store.service_keys.get_secret_value())
    worker.gateway.cache_clear()
    yield lambda *args: CliRunner().invoke(celery_commands.dead, args)
    worker.gateway.cache_clear()


def test_list_goes_on_without_the_broker_and_obeys_nothing_that_a_letter_holds(
    command: Callable[..., Result],
) -> None:
    kept(
        _id="ab12",
        reason="[red]\x1b[2Jbad\nnews",
        task="tasks.\x9bx",
        products=[{"id": n, "sequence": 1} for n in range(5)],
    )
    result = command("list")
    assert (result.exit_code, "Going on with what was collected before" in result.stderr) == (0, True)
    assert "[red]\\x1b[2Jbad news" in result.stdout
    assert "0, 1, 2 and 2 more" in result.stdout
    assert not set("\x1b\x9b") & set(result.stdout)
    assert "bad" not in command("list", "--state", "replayed").stdout


def test_dry_run_changes_nothing_and_all_needs_a_yes(command: Callable[..., Result]) -> None:
    letters = [kept(products=[{"id": 7, "sequence": None}]), kept(products=[])]
    result = command("replay", "--all", "--dry-run")
    assert (result.exit_code, result.stdout) == (1, f"would replay {letters[0]['_id']} product 7\n")
    refused = command("replay", "--all")
    assert (refused.exit_code, "give --yes" in refused.stderr) == (2, True)
    assert command("discard", letters[0]["_id"]).exit_code == 2
    assert len(queries.find(Filter(NEW), 10)) == 2
    assert command("discard", "--all", "--reason", "nothing like it", "--yes").exit_code == 0
    assert len(queries.find(Filter(NEW), 10)) == 2
    assert command("discard", "--all", "--yes").exit_code == 0
    assert queries.find(Filter(NEW), 10) == []


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["replay"], 2, "Give ids, or --all"),
        (["replay", "ab", "--all"], 2, "Give ids, or --all"),
        (["replay", "ab", "--product", "1"], 2, "Give ids, or --all"),
        (["show", "zz"], 1, "there is no dead letter 'zz'"),
        (["list", "--state", "lost"], 2, "'lost' is not one of"),
    ],
)
def test_command_says_what_is_wrong(command: Callable[..., Result], args: list[str], code: int, told: str) -> None:
    result = command(*args)
    assert (result.exit_code, told in result.stderr) == (code, True)


def test_replay_while_admin_is_away_ends_with_4(command: Callable[..., Result]) -> None:
    letter = kept()
    result = command("replay", letter["_id"][:10])
    assert (result.exit_code, "Admin does not answer" in result.stderr, result.stdout) == (4, True, "")
    assert queries.get(letter["_id"])["state"] == NEW
