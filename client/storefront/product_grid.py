"""The grid of products as one visitor sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_login import current_user

from client.likes.queries import NOT_MINE, Mine, mine
from client.replica import queries
from client.replica.documents import ProductCopy
from contract.product_rules import RULES
from contract.versions import version_of
from web.http.cursors import BadCursorError
from web.pages.shared import Shared

PER_PAGE = 24
MOST_PAGES = 10  # in one HTML page; more continue on a new page
MAX_QUERY, MAX_CATEGORY = 100, 80  # characters
DEFAULT_SORT = "-created_at"
SORTS = {DEFAULT_SORT: "Newest", "-likes": "Most liked"}


@dataclass(frozen=True, slots=True)
class Card:
    """A product with a count that includes the visitor's own like, counted or not."""

    product: ProductCopy
    mine: Mine

    @property
    def likes(self) -> int:
        return max(int(self.product.likes) + self.mine.uncounted, 0)

    @property
    def version(self) -> int:
        return version_of(self.product.sequence)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters in a grid's URL. Invalid ones are ignored, so that an old link still works."""

    q: str = ""
    category: str = ""
    sort: str = DEFAULT_SORT
    cursor: str | None = None
    pages: int = 1

    @classmethod
    def from_request(cls) -> "Wanted":
        args = request.args
        sort = args.get("sort", DEFAULT_SORT)
        pages = min(max(args.get("pages", 1, type=int), 1), MOST_PAGES)
        return cls(
            q=args.get("q", "").strip()[:MAX_QUERY],
            category=RULES["category"].tidy(args.get("category", ""))[:MAX_CATEGORY],
            sort=sort if sort in SORTS else DEFAULT_SORT,
            cursor=args.get("cursor") or None,
            pages=pages,
        )

    def query(self, **changed: Any) -> str:
        """Return the query string for q, category and sort, with ``changed``."""
        values = {"q": self.q, "category": self.category, "sort": self.sort} | changed
        defaults = {"sort": DEFAULT_SORT, "pages": 1}
        given = {key: value for key, value in values.items() if value and value != defaults.get(key)}
        return f"?{urlencode(given)}" if given else ""


@dataclass(frozen=True, slots=True)
class Grid:
    wanted: Wanted
    cards: list[Card]
    next_cursor: str | None

    @property
    def more(self) -> str | None:
        """Return the query string of the next page, None on the last page."""
        return self.wanted.query(cursor=self.next_cursor) if self.next_cursor else None


def grid(wanted: Wanted) -> Grid:
    """Return the grid for ``wanted``; an invalid cursor starts at the beginning."""
    try:
        page = _page(wanted, wanted.cursor)
    except BadCursorError:
        page = _page(wanted, None)
    return Grid(wanted, cards(page.items), page.next_cursor)


def _page(wanted: Wanted, cursor: str | None) -> queries.Page:
    limit = PER_PAGE * wanted.pages
    return queries.list_products(limit, cursor, wanted.q, wanted.category or None, wanted.sort)


def cards(products: Sequence[ProductCopy]) -> list[Card]:
    """Return the cards of ``products`` for the current visitor."""
    user = me()
    likes = mine([product.id for product in products], user) if user and products else {}
    return [Card(product, likes.get(product.id, NOT_MINE)) for product in products]


def me() -> str | None:
    """Return the id of the signed-in shopper, else None."""
    return current_user.id if current_user.is_authenticated else None


# The ratio keeps both below 2 % of one thread's time, however large the catalogue.
categories = Shared(queries.categories, seconds=30.0, ratio=50)
newest = Shared(queries.newest, seconds=1.0, ratio=50)
