"""Carries out a batch of creates, updates and deletes in one transaction, with an outcome for each item.

Each product, and each sku that becomes one's, may be in one item alone: then their order does not matter.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from admin.catalogue import bulk
from admin.catalogue.batch_items import CREATE, DELETE, Item, Refused
from admin.catalogue.images import service as images
from admin.catalogue.images.service import NOT_STORED, UnknownImageError
from admin.catalogue.models import ProductRow
from admin.catalogue.service import ProductNotFoundError, sku_taken, stale, wrong_price
from admin.catalogue.validation import DEFAULTS
from admin.db.extensions import db
from admin.outbox import eager_publisher, outbox
from contract.names import INTERACTIVE
from web.http.problems import ProblemError

MAX_ITEMS = 500
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """An item that was carried out: the product ``before``, None for a new one, and ``after``."""

    index: int
    result: str  # created, updated, unchanged, deleted
    before: ProductRow | None
    after: ProductRow


Outcome = Done | Refused


class RepeatedItemError(ProblemError):
    """An earlier item changes the same product, or has the same sku."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BatchRefusedError(Exception):
    """An atomic batch with items that cannot be carried out; nothing was changed."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"{len(refused)} items cannot be carried out")
        self.refused = refused


@bulk.retry_races
def apply_batch(
    items: Sequence[Item | Refused],
    author: str,
    lane: str,
    atomic: bool,
    before_commit: Callable[[Sequence[Outcome]], object],
) -> list[Outcome]:
    """Carry out ``items`` on ``lane``; return an outcome for each. ``before_commit`` gets the outcomes.

    Items that cannot be carried out are refused; the others are stored. Raises BatchRefusedError instead where the
    batch is ``atomic``.
    """
    write = outbox.begin_write()
    decide = _read_for(items, write)
    outcomes = [decide(item) for item in items]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    if atomic and refused:
        db.session.rollback()
        raise BatchRefusedError(refused)
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    new = [one for one in done if one.before is None]
    changed = [(one.before, one.after) for one in done if one.before is not None and one.result != UNCHANGED]
    messages = bulk.store([one.after for one in new], changed, write, author, lane)
    for one, message in zip(new, messages, strict=False):  # those of new products come first
        outcomes[one.index] = replace(one, after=one.after._replace(id=message.id))
    before_commit(outcomes)
    db.session.commit()
    outbox.log_committed(messages, lane)
    if lane == INTERACTIVE:
        eager_publisher.offer(messages)
    return outcomes


@dataclass(slots=True)
class _Decisions:
    """Decides on one item after the other, with what was read and locked for all of them."""

    write: outbox.WriteContext
    products: Mapping[int, ProductRow]
    owners: Mapping[str, int]  # ids of live products by sku
    lost_images: AbstractSet[str]
    seen: dict[int | str, int] = field(default_factory=dict)  # index of the item by product id and by new sku

    def __call__(self, item: Item | Refused) -> Outcome:
        if isinstance(item, Refused):
            return item
        try:
            return self._create(item) if item.action == CREATE else self._change(item)
        except ProblemError as problem:
            return Refused(item.index, problem)

    def _create(self, item: Item) -> Done:
        content = {**DEFAULTS, **item.content}
        self._check_image(content)
        self._take_sku(item, None)
        return Done(item.index, bulk.CREATED, None, bulk.created(content, self.write))

    def _change(self, item: Item) -> Done:
        product = self._product(item)
        if (first := self.seen.get(product.id)) is not None:
            raise _repeated(first, "id" if item.id else "sku")
        if product.version not in item.expected:
            older = {"field": "version", "detail": f"is not {product.version}, the current one"}
            raise stale(product.version, older)
        done = self._delete(item, product) if item.action == DELETE else self._update(item, product)
        self.seen[product.id] = item.index
        return done

    def _delete(self, item: Item, product: ProductRow) -> Done:
        return Done(item.index, bulk.DELETED, product, bulk.deleted(product, self.write))

    def _update(self, item: Item, product: ProductRow) -> Done:
        changes = bulk.differing(product, item.content)
        if not changes:
            return Done(item.index, UNCHANGED, product, product)
        after = bulk.updated(product, changes, self.write)
        if changes.keys() & {"price", "currency"} and (wrong := wrong_price(after, "product.price")):
            raise wrong
        self._check_image(changes)
        if "sku" in changes:
            self._take_sku(item, product.id)
        return Done(item.index, bulk.UPDATED, product, after)

    def _product(self, item: Item) -> ProductRow:
        """Return the live product that ``item`` is about. Raises ProductNotFoundError."""
        product = self.products.get(item.id or self.owners.get(item.sku or "", 0))
        if product is None or product.deleted_at or (item.sku and product.live_sku != item.sku):
            named = f"with the sku {item.sku!r}" if item.sku else f"{item.id}"
            raise ProductNotFoundError(
                f"There is no product {named}; it may have been deleted.",
                [{"field": "sku" if item.sku else "id", "detail": "is unknown"}],
            )
        return product

    def _take_sku(self, item: Item, product_id: int | None) -> None:
        """Reserve the sku in the content of ``item``. Raises RepeatedItemError, SkuTakenError."""
        sku = item.content["sku"]
        if (first := self.seen.get(sku)) is not None:
            raise _repeated(first, "product.sku")
        if self.owners.get(sku, product_id) != product_id:
            raise sku_taken(sku, "product.sku")
        self.seen[sku] = item.index

    def _check_image(self, content: Mapping[str, Any]) -> None:
        if content.get("image_url") in self.lost_images:
            raise UnknownImageError("The image is not stored.", [{"field": "product.image_url", "detail": NOT_STORED}])


def _read_for(items: Sequence[Item | Refused], write: outbox.WriteContext) -> _Decisions:
    """Read and lock what ``items`` name: three statements at most."""
    valid = [item for item in items if isinstance(item, Item)]
    lost = images.lost_among(item.content.get("image_url", "") for item in valid)
    named = {item.sku for item in valid if item.sku} | {item.content["sku"] for item in valid if "sku" in item.content}
    owners = bulk.ids_of(named)
    ids = {item.id for item in valid if item.id} | {owners[item.sku] for item in valid if item.sku in owners}
    return _Decisions(write, bulk.lock(ids), owners, lost)


def _repeated(first: int, name: str) -> RepeatedItemError:
    return RepeatedItemError(
        f"Item {first} is about the same product. Send one item for each product.",
        [{"field": name, "detail": f"is also in item {first}"}],
    )
