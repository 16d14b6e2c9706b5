"""The rate of counting and forwarding pending likes, compared with a bare read and update of them."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from pymongo.collection import Collection

from tools.bench.arrivals import Arrivals
from tools.bench.errors import BenchError
from tools.bench.figures import Figure, of_rounds
from tools.bench.run import Run
from tools.bench.system import System
from tools.stack.api import eventually
from tools.stack.product import ROOT

TITLE = "Pending likes → counted and on Admin"
_BATCH = 500
_PENDING_FIELDS = ("pending", "uncounted")  # fields of a like until it is forwarded and counted


def measure(run: Run) -> list[Figure]:
    """Measure half of the bare rounds before, half after."""
    likes = run.system.shop["likes"]
    eventually(lambda: not waiting(likes), within=120, what="the earlier likes")
    bare = [_bare(run, "bare_likes_a")]
    took, calls = _forward(run)
    if not calls:
        raise BenchError("Admin's log shows no call: its lines changed")
    bare.append(_bare(run, "bare_likes_b"))
    rate = run.sizes.likes / took
    ratios = (rate / max(bare), rate / min(bare))
    return [
        Figure("÷ bare read and mark", rate / (sum(bare) / 2), "×", ratios, at_least=0.5),
        Figure("calls per 100 likes", 100 * calls / run.sizes.likes, "calls", at_most=1.0),
        Figure(f"{run.sizes.likes:,} likes", rate, "/s"),
        of_rounds("bare read and mark", bare, "/s"),
    ]


def _documents(run: Run, first_user: int) -> list[dict[str, Any]]:
    first, last = run.some_products
    found = []
    for number in range(run.sizes.likes):
        turn, product = divmod(number, last - first + 1)
        at, user = datetime.now(UTC), f"user{first_user + turn}"
        found.append({"_id": f"{first + product}:{user}", "product": first + product, "user": user, "liked": True,
                      "revision": 1, "at": at, "pending": True, "since": at, "uncounted": True})  # fmt: skip
    return found


def _forward(run: Run) -> tuple[float, int]:
    """Return the seconds from the worker's start until all was counted and on Admin, and the calls it took."""
    system, likes = run.system, run.system.shop["likes"]
    before, said = _on_admin(run), run.system.product.calls_with_likes()
    documents = _documents(run, 0)
    with system.paused(system.product.worker):
        likes.insert_many(documents, ordered=False)
        _announce(system)
    began = time.monotonic()
    Arrivals(likes, [like["_id"] for like in documents], dict.fromkeys(_PENDING_FIELDS)).wait()
    eventually(lambda: _on_admin(run) == before + run.sizes.likes, within=30, what="every like on Admin")
    took = time.monotonic() - began
    eventually(lambda: not waiting(likes), within=30, what="every like settled and counted")
    return took, run.system.product.calls_with_likes() - said


def _announce(system: System) -> None:
    """Announce pending likes on the broker, as the Client's web process does."""
    command = [sys.executable, "-m", "tools.bench.announce"]
    if subprocess.run(command, cwd=ROOT, env=dict(system.product.env), check=False).returncode:
        raise BenchError("the likes could not be announced")


def waiting(likes: Collection[dict[str, Any]]) -> bool:
    """Return whether any like is not counted or not forwarded."""
    return any(likes.find_one({field: True}, {"_id": 1}) for field in _PENDING_FIELDS)


def _on_admin(run: Run) -> int:
    return int(run.system.ask("SELECT COALESCE(SUM(likes), 0) FROM like_counts"))


def _bare(run: Run, name: str) -> float:
    """Return likes per second: read a batch, unset those fields, until none is left."""
    likes, bare = run.system.shop["likes"], run.system.shop[name]
    for index, about in likes.index_information().items():
        if index != "_id_":
            bare.create_index(about["key"], sparse=about.get("sparse", False))
    bare.insert_many(_documents(run, 10**6), ordered=False)
    began = time.monotonic()
    while batch := list(bare.find({"pending": True}).limit(_BATCH)):
        ids = [like["_id"] for like in batch]
        bare.update_many({"_id": {"$in": ids}}, {"$unset": {"pending": "", "uncounted": "", "since": ""}})
    took = time.monotonic() - began
    run.system.shop.drop_collection(name)
    return run.sizes.likes / took
