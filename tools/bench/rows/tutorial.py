"""The tutorial's system, a Node publisher and consumer without authentication or validation, as it was measured on
two cores; ours does the same work with both.
"""

import json
import time

from tools.bench import catalogue, clients
from tools.bench.arrivals import Arrivals
from tools.bench.figures import Figure, of_rounds, percentile
from tools.bench.load import Connection
from tools.bench.run import Run

TITLE = "The tutorial's Node system, same machine"


def measure(run: Run) -> list[Figure]:
    """Creates accepted and visible with eight clients; then one at a time, until the Client's API shows it."""
    accepted, visible = [], []
    for number in range(run.sizes.rounds):
        run.settle()
        one, both = _burst(run, f"T{number}")
        accepted.append(one)
        visible.append(both)
    run.settle()
    admin = Connection(run.system.addresses.admin_port, run.system.staff_token)
    client = Connection(run.system.addresses.client_port)
    seconds = [_one(admin, client, number) * 1000 for number in range(run.sizes.latencies)]
    return [
        of_rounds("creates accepted, 8 clients", accepted, "/s", at_least=527),
        of_rounds("accepted and visible, 8 clients", visible, "/s", at_least=520),
        Figure("POST → visible, p50", percentile(seconds, 0.5), "ms", at_most=5.4),
        Figure("POST → visible, p95", percentile(seconds, 0.95), "ms", at_most=11.4),
        Figure("POST → visible, p99", percentile(seconds, 0.99), "ms", at_most=19.5),
    ]


def _burst(run: Run, prefix: str) -> tuple[float, float]:
    """Return the rates of accepted products, and of those that were visible in the end."""
    system = run.system
    before = system.highest_id()
    load = clients.run(
        "creates",
        system.addresses.admin_port,
        system.staff_token,
        run.sizes.seconds,
        path="/api/v1/products",
        prefix=prefix,
    )
    created = len(load.seconds)
    Arrivals(system.shop["products"], system.ids_above(before)).wait()
    return load.rate, created / (time.monotonic() - load.began)


def _one(admin: Connection, client: Connection, number: int) -> float:
    body = json.dumps(catalogue.content(number, "TL")).encode()
    began = time.monotonic()
    _, _, answer = admin.send("POST", "/api/v1/products", body)
    path = f"/api/v1/products/{json.loads(answer)['id']}"
    while client.send("GET", path)[0] != 200:
        pass
    return time.monotonic() - began
