"""The likes per second that the Client accepts, compared with the view with a bare upsert."""

from tools.bench import clients
from tools.bench.clients import Load
from tools.bench.figures import Figure, alternate, of_rounds, ratio
from tools.bench.rows.likes_forwarded import waiting
from tools.bench.run import Run
from tools.stack.api import eventually

TITLE = "Likes accepted, 8 clients"
_PATH = "/api/v1/products/{}/likes/me"


def measure(run: Run) -> list[Figure]:
    """Alternate: bare, Lockstep with the worker paused, Lockstep as it runs."""
    system, loads = run.system, list[Load]()
    first, last = run.some_products
    run.settle()

    def rate(port: int) -> float:
        orders = {"path": _PATH, "first": first, "last": last, "turn": len(loads)}
        loads.append(clients.run("likes", port, system.shopper_token, run.sizes.seconds, **orders))
        return loads[-1].rate

    def paused(port: int) -> float:
        # A worker paused while it counts would keep its transaction open, which blocks the likes.
        eventually(lambda: not waiting(system.shop["likes"]), within=120, what="the earlier likes")
        with system.paused(system.product.worker, system.product.relay, system.product.beat):
            return rate(port)

    with system.service("tools.bench.services:plain_client()") as plain:
        own = system.addresses.client_port
        for port in (plain, own):
            paused(port)  # not counted
        bare, alone, whole = alternate(run.sizes.rounds, lambda: paused(plain), lambda: paused(own), lambda: rate(own))
    return [
        ratio("worker paused ÷ bare upsert", alone, bare, at_least=0.8),
        ratio("all of it running ÷ bare upsert", whole, bare),
        of_rounds("worker paused", alone, "/s"),
        of_rounds("all of it running", whole, "/s"),
        of_rounds("the same view with a bare upsert", bare, "/s"),
        of_rounds("CPU of the load itself", [load.cpu for load in loads], "cores"),
    ]
