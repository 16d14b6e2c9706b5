"""A fresh copy beside the Client's live one, compared before it takes its place: the shop is never empty."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import structlog

from admin.reconcile import catalogue, copies
from admin.reconcile.compare import Difference, batched
from admin.reconcile.copies import NEXT, Copy
from admin.reconcile.diff import HIGHEST, LOWEST, Comparison
from admin.replication.client_gateway import ClientUnavailableError
from admin.replication.repair import BATCH, pages
from tasks.messages import ProductChanged

log = structlog.get_logger(__name__)

SWAP_SECONDS = 120.0  # MongoDB renames at once; a stand-in may copy


class RebuildError(Exception):
    """The rebuild ended without effect: the live copy is as it was."""


def rebuild(progress: Callable[[int], None] = lambda _id: None) -> None:
    """Fill a fresh copy with every product's current state, compare it, count its likes, and swap.

    ``progress`` is given the id up to which the copy is filled. What changes meanwhile reaches both copies (A5).
    Raises RebuildError, ClientUnavailableError.
    """
    with _begun() as token:
        _fill(token, (own.message for own in catalogue.stream(LOWEST, HIGHEST)), progress)
        _compare(token)
        _count_likes(token)
        _step("swap", token, patience=SWAP_SECONDS)
        _count_likes(token)  # those that were counted between


@contextmanager
def _begun() -> Iterator[str]:
    """Begin, and leave nothing behind, whatever happens; after a crash the Client forgets it within a minute."""
    with copies.sensible():
        token = copies.ask("rebuild/begin", {})["token"]
    if token is None:
        raise RebuildError("another rebuild is under way, or was broken off less than a minute ago")
    try:
        yield token
    finally:
        try:
            copies.ask("rebuild/end", {"token": token})
        except ClientUnavailableError as error:
            log.warning("what is left of the rebuild goes with the next one", error=str(error))


def _fill(token: str, messages: Iterable[ProductChanged], progress: Callable[[int], None] = lambda _id: None) -> None:
    for page in pages(message.encode() for message in messages):
        _step("fill", token, states=page)
        progress(page[-1]["id"])


def _compare(token: str) -> None:
    """What the first comparison finds was lost on the way or has just changed: fill it in. The second finds none."""
    for batch in batched(_drift(token), BATCH):
        _fill(token, (own.message for own in catalogue.listed([difference.id for difference in batch]).values()))
    if any(_drift(token)):
        raise RebuildError("the fresh copy did not become equal to Admin's catalogue")


def _drift(token: str) -> Iterator[Difference]:
    def hold(_last_id: int) -> None:
        _step("hold", token)

    return Comparison(Copy(NEXT)).drift(progress=hold)


def _count_likes(token: str) -> None:
    after: int | None = LOWEST
    while after is not None:
        after = _step("count", token, after=after)["reached"]


def _step(name: str, token: str, patience: float = copies.PATIENCE, **body: object) -> dict[str, int | None]:
    answer: dict[str, int | None] = copies.ask(f"rebuild/{name}", {"token": token, **body}, patience)
    with copies.sensible():
        if not answer["ok"]:
            raise RebuildError("it was silent for a minute, and so the Client gave it up")
    return answer
