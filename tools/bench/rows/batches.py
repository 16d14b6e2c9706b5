"""The products a second that the batch endpoint accepts from one caller, compared with an import."""

import json
import time
from itertools import count

from tools.bench import catalogue
from tools.bench.errors import BenchError
from tools.bench.figures import Figure, of_rounds, ratio
from tools.bench.load import Connection
from tools.bench.run import Run

TITLE = "Batches, one caller"
_PATH = "/api/v1/products/batch?lane=bulk"
_prefixes = (f"M{number}" for number in count())


def measure(run: Run) -> list[Figure]:
    """Send batches one after the other while the pipeline runs, each with a key that makes it safe to repeat."""
    imported = run.imported.rate  # before, as the import's products would travel in between
    run.settle()
    connection = Connection(run.system.addresses.admin_port, run.system.staff_token)
    _send(run, connection)  # not counted: first requests
    rates = [_send(run, connection) for _ in range(run.sizes.rounds)]
    return [
        of_rounds("products accepted", rates, "/s", at_least=2_500),
        ratio("÷ import, file → Admin", rates, [imported] * len(rates), "/s", at_least=0.8),
    ]


def _send(run: Run, connection: Connection) -> float:
    """Return products per second over some batches. Raises BenchError where a product is refused."""
    batches = [_batch(run.sizes.batch) for _ in range(run.sizes.batches)]
    began = time.monotonic()
    answers = [connection.send("POST", _PATH, body, key) for key, body in batches]
    took = time.monotonic() - began
    for status, _, answer in answers:
        if status != 200 or json.loads(answer)["created"] != run.sizes.batch:
            raise BenchError(f"a batch was answered {status}: {answer[:300]!r}")
    return run.sizes.batch * run.sizes.batches / took


def _batch(products: int) -> tuple[str, bytes]:
    """Return a new key, and the body of a batch that creates ``products``."""
    prefix = next(_prefixes)
    items = [{"action": "create", "product": catalogue.content(number, prefix)} for number in range(products)]
    return prefix, json.dumps({"items": items}).encode()
