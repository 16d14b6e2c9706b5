"""What a like costs, and the likes per second that the Client accepts, compared with a bare Flask view."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.bench import clients
from tools.bench.figures import Figure, alternate, of_rounds, ratio, total
from tools.bench.run import Run
from tools.bench.system import per
from tools.stack.api import eventually

TITLE = "Likes, 8 at once"
_PATH, _BARE_PATH = "/api/v1/products/{}/likes/me", "/products/{}/like"
_PENDING = ("pending", "uncounted")  # fields of a like until it is forwarded and counted
_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Burst:
    """One round: likes per second, and the CPU milliseconds of a like by process."""

    rate: float
    cpu: dict[str, float]


def measure(run: Run) -> list[Figure]:
    """Alternate the bare view, the Client with the worker paused, and the Client as it runs."""
    assert run.caught_up  # noqa: S101 - fills the catalogue
    own = run.system.addresses.client_port
    shares = _shares(run, 3 * run.sizes.rounds + 2)

    def paused(port: int, path: str) -> Burst:
        _drain(run)  # a worker paused while it counts would keep its transaction open, which blocks the likes
        product = run.system.product
        with run.system.paused(product.worker, product.relay, product.beat):
            return _burst(run, port, path, next(shares))

    def running() -> Burst:
        _drain(run)
        return _burst(run, own, _PATH, next(shares), drain=True)

    with run.system.service("tools.bench.bare.views:client()") as view:
        paused(view.port, _BARE_PATH), running()  # not counted: first requests
        bare, alone, whole = alternate(
            run.sizes.rounds, lambda: paused(view.port, _BARE_PATH), lambda: paused(own, _PATH), running
        )
    bare_rates = [one.rate for one in bare]
    return [
        of_rounds("the Client's CPU per like", [one.cpu["Client"] for one in alone], "ms", at_most=2.5),
        ratio("accepted, worker paused ÷ bare view", [one.rate for one in alone], bare_rates, "/s", at_least=0.8),
        ratio("accepted, all of it running ÷ bare view", [one.rate for one in whole], bare_rates, "/s"),
        total("CPU of everything per like", [one.cpu for one in whole], "ms", bar="a like, 8 clients"),
    ]


def _shares(run: Run, bursts: int) -> Iterator[list[int]]:
    """Yield the products of each burst, which nobody likes yet."""
    ids = run.system.product_ids()
    return (ids[burst::bursts] for burst in range(bursts))


def _burst(run: Run, port: int, path: str, products: list[int], drain: bool = False) -> Burst:
    before, token = run.system.cpu(), run.system.shopper_token
    load = clients.run("likes", port, token, run.sizes.seconds, path=path, products=products)
    if drain:
        _drain(run)
    return Burst(load.rate, per(load.count, before, run.system.cpu()))


def _drain(run: Run) -> None:
    """Wait until every like is counted and forwarded."""
    likes = run.system.shop["likes"]
    eventually(
        lambda: not any(likes.find_one({field: True}, {"_id": 1}) for field in _PENDING),
        within=_WITHIN, what="every like forwarded",
    )  # fmt: skip
