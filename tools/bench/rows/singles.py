"""What one change costs when changes come one at a time: its answer, until it is visible, and the CPU time."""

import time

from tools.bench.bare import consumer, store
from tools.bench.figures import Figure, alternate, percentile, ratio, total
from tools.bench.probes import Probe, Seen
from tools.bench.rows.creates import PATH
from tools.bench.run import Run
from tools.bench.system import per

TITLE = "Creates, one at a time"
_WARM_UP = 24  # requests: three for each thread of a web service, which connects at its first
_BLOCK = 20  # changes of one side before the other's turn: few, so that a disturbance affects all sides
_PAUSE = 0.02  # seconds between two creates, so that each travels alone


def measure(run: Run) -> list[Figure]:
    """Alternate blocks of single changes: Lockstep, the bare view, and the bare path."""
    run.settle()
    addresses, shop = run.system.addresses, run.system.shop
    ours = Probe(addresses.admin_port, PATH, "V", run.system.staff_token)
    with (
        run.system.service("tools.bench.bare.views:admin()") as views,
        consumer.running(addresses.broker_url, addresses.mongodb_url),
    ):
        view, path = Probe(views.port, "/products", "W"), Probe(views.port, "/published", "P")
        for _ in range(_WARM_UP):
            ours.see(shop["products"]), view.see(), path.see(shop[store.PRODUCTS])
        block = range(min(_BLOCK, run.sizes.singles))
        lockstep, bare, bare_path = alternate(
            max(1, run.sizes.singles // _BLOCK),
            lambda: [ours.see(shop["products"]) for _ in block],
            lambda: [view.see() for _ in block],
            lambda: [path.see(shop[store.PRODUCTS]) for _ in block],
        )
    return [
        ratio("POST answered, p50 ÷ bare view's", _answered(lockstep), _answered(bare), "ms", at_most=2.0),
        ratio("POST → visible, p50 ÷ bare path's", _visible(lockstep), _visible(bare_path), "ms", at_most=1.5),
        _p99(lockstep, bare_path),
        _cpu(run, ours),
    ]


def _answered(blocks: list[list[Seen]]) -> list[float]:
    return [_p50([one.answered for one in block]) for block in blocks]


def _visible(blocks: list[list[Seen]]) -> list[float]:
    return [_p50([one.visible for one in block]) for block in blocks]


def _p50(seconds: list[float]) -> float:
    return 1000 * percentile(seconds, 0.5)


def _p99(lockstep: list[list[Seen]], bare: list[list[Seen]]) -> Figure:
    """Compare over all blocks, as one block has too few changes."""
    ours, theirs = (
        1000 * percentile([one.visible for some in side for one in some], 0.99) for side in (lockstep, bare)
    )
    return ratio("POST → visible, p99 ÷ bare path's", [ours], [theirs], "ms", at_most=2.0)


def _cpu(run: Run, probe: Probe) -> Figure:
    """Create products without looking for them, as looking costs the store more than writing."""
    run.settle()
    before, creates = run.system.cpu(), run.sizes.singles
    for _ in range(creates):
        probe.create()
        time.sleep(_PAUSE)
    run.settle()
    spent = per(creates, before, run.system.cpu())
    return total("CPU of everything per create", [spent], "ms", bar="a create, one at a time", at_most=11.0)
