"""What a like costs, and the likes per second that the Client accepts, compared with a bare Flask view."""

from dataclasses import dataclass
from itertools import count

from tools.bench import clients
from tools.bench.figures import Figure, alternate, of_rounds, ratio, total
from tools.bench.run import Run
from tools.bench.system import per
from tools.stack.api import eventually

TITLE = "Likes, 8 clients at once"
_PATH, _BARE_PATH = "/api/v1/products/{}/likes/me", "/products/{}/like"
_PRODUCTS = 1_000  # liked in turn, at most
_PENDING = ("pending", "uncounted")  # fields of a like until it is forwarded and counted
_WITHIN = 120.0
_turns = count()


@dataclass(frozen=True, slots=True)
class Burst:
    """One round: likes per second, and the CPU milliseconds of a like by process."""

    rate: float
    cpu: dict[str, float]


def measure(run: Run) -> list[Figure]:
    """Alternate the bare view, the Client with the worker paused, and the Client as it runs."""
    run.settle()
    with run.system.service("tools.bench.bare.views:client()") as view:
        _paused(run, view.port, _BARE_PATH), _running(run)  # not counted: first requests
        bare, paused, running = alternate(
            run.sizes.rounds,
            lambda: _paused(run, view.port, _BARE_PATH),
            lambda: _paused(run, run.system.addresses.client_port, _PATH),
            lambda: _running(run),
        )
    bare_rates = [one.rate for one in bare]
    return [
        of_rounds("the Client's CPU per like", [one.cpu["Client"] for one in paused], "ms", at_most=2.5),
        ratio("accepted, worker paused ÷ bare view", [one.rate for one in paused], bare_rates, "/s", at_least=0.8),
        ratio("accepted, all of it running ÷ bare view", [one.rate for one in running], bare_rates, "/s"),
        total("CPU of everything per like", [one.cpu for one in running], "ms", bar="a like, 8 clients"),
    ]


def _paused(run: Run, port: int, path: str) -> Burst:
    _drain(run)  # a worker paused while it counts would keep its transaction open, which blocks the likes
    product = run.system.product
    with run.system.paused(product.worker, product.relay, product.beat):
        return _burst(run, port, path)


def _running(run: Run) -> Burst:
    _drain(run)
    before = run.system.cpu()
    load = _load(run, run.system.addresses.client_port, _PATH)
    _drain(run)
    return Burst(load.rate, per(load.count, before, run.system.cpu()))


def _burst(run: Run, port: int, path: str) -> Burst:
    before = run.system.cpu()
    load = _load(run, port, path)
    return Burst(load.rate, per(load.count, before, run.system.cpu()))


def _load(run: Run, port: int, path: str) -> clients.Load:
    orders = {"path": path, "first": 1, "last": min(_PRODUCTS, run.system.products()), "turn": next(_turns)}
    return clients.run("likes", port, run.system.shopper_token, run.sizes.seconds, **orders)


def _drain(run: Run) -> None:
    """Wait until every like is counted and forwarded."""
    likes = run.system.shop["likes"]
    eventually(
        lambda: not any(likes.find_one({field: True}, {"_id": 1}) for field in _PENDING),
        within=_WITHIN, what="every like forwarded",
    )  # fmt: skip
