"""The shop's lists on a store of a few thousand products: complete, in order, by index, and by few commands."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from client import create_app, store
from client.replica import most_liked, newest, queries
from client.replica.content import document_of
from client.replica.documents import ProductCopy
from client.replica.queries import MOST_LIKED, NEWEST
from contract.messages import ProductContent
from tests.flow.stores import CONTENT, TIMES, client_store_on, unique_name
from tools.stack.servers.secantus import Secantus

IMPORTED = range(1, 2001)  # all of one time
AFTER_A_GAP = range(10**9, 10**9 + 40)
DELETED = range(1901, 1951)
RARE = (1, 1501, 10**9 + 7)  # products of the category Rare
IDS = [*reversed(AFTER_A_GAP), *(number for number in reversed(IMPORTED) if number not in DELETED)]
MOST_COMMANDS = 14


class Commands(CommandListener):
    """The commands sent to the store."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.fixture(scope="module")
def commands(secantus: Secantus) -> Iterator[Commands]:
    with client_store_on(secantus.url(unique_name())) as settings:
        app = create_app(settings)
        commands = Commands()
        store.connect(settings, commands)
        numbers = [*IMPORTED, *AFTER_A_GAP]
        ProductCopy._get_collection().insert_many([document(number) for number in numbers])
        with app.app_context():
            yield commands


def document(number: int) -> dict[str, Any]:
    about = {
        "sku": f"SKU-{number}",
        "title": f"{'Teapot' if number % 500 == 0 else 'Mug'} no{number}",
        "category": "Rare" if number in RARE else "Kitchen",
    }
    content = ProductContent(**{**CONTENT, **about, **TIMES})
    held = {"_id": number, "sequence": 1, "checksum": "", "likes": likes_of(number)}
    return {**held, "deleted": True} if number in DELETED else {**held, "deleted": False, **document_of(content)}


def likes_of(number: int) -> int:
    """Return counts of which most are 0, some are shared, a few are below 0, and one is far above the others."""
    if number % 10:
        return 0
    return 10**6 if number == 1000 else (number // 10 * 7919) % 300 - 2


def walk(limit: int, q: str = "", category: str | None = None, sort: str = NEWEST) -> list[int]:
    """Return the ids of all pages of a list."""
    ids: list[int] = []
    cursor = None
    while True:
        page = queries.list_products(limit, cursor, q, category, sort)
        ids += [product.id for product in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize("limit", [24, 100])
def test_pages_show_each_product_of_one_time_once_the_newest_first(limit: int) -> None:
    assert walk(limit) == IDS


@pytest.mark.usefixtures("commands")
def test_category_is_listed_whole_however_rare() -> None:
    assert walk(2, category="Rare") == sorted(RARE, reverse=True)
    assert walk(2, category="Nothing") == []
    assert walk(100, category="Kitchen") == [number for number in IDS if number not in RARE]


@pytest.mark.usefixtures("commands")
def test_search_finds_old_and_new_products_by_common_and_rare_words() -> None:
    assert walk(100, q="mu") == [number for number in IDS if number % 500]
    assert walk(2, q="teap") == [number for number in IDS if number % 500 == 0]
    assert walk(50, q="no17 mug") == [number for number in IDS if str(number).startswith("17")]
    assert walk(5, q="mug", category="Rare") == sorted(RARE, reverse=True)
    assert walk(5, q="mugs") == []


def test_each_page_is_a_few_commands_that_the_store_answers_by_index(commands: Commands) -> None:
    for category in (None, "Kitchen", "Rare", "Nothing"):
        cursor = None
        while True:
            commands.sent.clear()
            cursor = queries.list_products(100, cursor, "", category, NEWEST).next_cursor
            assert len(commands.sent) <= MOST_COMMANDS
            assert all(_plan(sent) == "IXSCAN" for sent in commands.sent[:2] if "find" in sent)
            if cursor is None:
                break


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize("hint", [0, 500, 10**12])
def test_pages_show_each_product_once_the_most_liked_first(hint: int) -> None:
    expected = sorted(IDS, key=lambda number: (likes_of(number), number), reverse=True)
    most_liked._highest = hint
    assert walk(100, sort=MOST_LIKED) == expected
    most_liked._highest = hint
    assert walk(1, category="Rare", sort=MOST_LIKED) == [number for number in expected if number in RARE]
    assert walk(5, category="Nothing", sort=MOST_LIKED) == []


def test_page_of_the_most_liked_is_a_few_commands(commands: Commands) -> None:
    queries.list_products(24, None, "", None, MOST_LIKED)  # now the highest count is known
    cursor = None
    for at_most in (MOST_COMMANDS, *[MOST_COMMANDS * (most_liked.SMALL + 2)] * 10):  # each small one alone
        commands.sent.clear()
        cursor = queries.list_products(24, cursor, "", None, MOST_LIKED).next_cursor
        assert len(commands.sent) <= at_most
        for sent in commands.sent:
            if "find" in sent:
                assert _plan(sent) == "IXSCAN"


def _plan(command: dict[str, Any]) -> str:
    sent = {name: command[name] for name in ("find", "filter", "sort", "limit")}
    plan: dict[str, Any] = store.database().command("explain", sent)["queryPlanner"]["winningPlan"]
    while "inputStage" in plan:
        plan = plan["inputStage"]
    expected = [name for name in ("deleted", "category", "likes") if name in command["filter"]]
    assert list(plan.get("keyPattern", {})) == [*expected, "_id"]
    return str(plan["stage"])


def test_page_below_the_first_reads_no_more_than_its_range(commands: Commands) -> None:
    first = queries.list_products(24, None, "", None, NEWEST)
    for _ in range(3):
        first = queries.list_products(24, first.next_cursor, "", None, NEWEST)
    commands.sent.clear()
    queries.list_products(24, first.next_cursor, "", None, NEWEST)
    (sent,) = commands.sent
    assert sent["filter"]["_id"]["$lte"] - sent["filter"]["_id"]["$gt"] < 100


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize("hint", [0, 1, 2_000, 10**12])
def test_wrong_hint_of_the_highest_id_hides_no_product(hint: int) -> None:
    newest._remember(hint)
    assert walk(100)[:200] == IDS[:200]
    assert queries.newest() == IDS[0]
    newest._remember(hint)  # not changed by a category's list
    assert walk(10, category="Rare") == sorted(RARE, reverse=True)
    assert newest._highest == hint


@pytest.mark.usefixtures("commands")
def test_product_that_arrives_is_on_the_first_page_at_once() -> None:
    queries.list_products(24, None, "", None, NEWEST)
    added = 10**9 + 100
    ProductCopy._get_collection().insert_one(document(added))
    try:
        assert queries.list_products(24, None, "", None, NEWEST).items[0].id == added
    finally:
        ProductCopy._get_collection().delete_one({"_id": added})
