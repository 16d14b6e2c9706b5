"""Measure one change at a time, from its commit until it is in the Client's store."""

import json
import time
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection

from tools.bench import catalogue
from tools.bench.errors import BenchError
from tools.bench.load import Connection
from tools.bench.services import COMMITTED
from tools.bench.system import System

_LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds until one product was visible, from its request and from its commit."""

    requested: float
    committed: float


class Probe:
    """Creates products through ``timed_admin`` at ``port`` and polls the store for them, as the bare path does."""

    def __init__(self, system: System, port: int, prefix: str, look_every: float = 0.0) -> None:
        self._admin = Connection(port, system.staff_token)
        self._shop: Collection[dict[str, Any]] = system.shop["products"]
        self._prefix, self._look_every = prefix, look_every

    def see(self, number: int) -> Seen:
        """Create product ``number`` and wait until it is visible. Raises BenchError where it is refused or lost."""
        body = json.dumps(catalogue.content(number, self._prefix)).encode()
        began = time.monotonic()
        status, head, answer = self._admin.send("POST", "/api/v1/products", body)
        if status != 201:
            raise BenchError(f"a create was answered {status}: {answer[:200]!r}")
        product = json.loads(answer)["id"]
        while self._shop.find_one({"_id": product}, {"_id": 1}) is None:
            if time.monotonic() - began > _LONGEST:
                raise BenchError(f"product {product} did not arrive within {_LONGEST:.0f} s")
            time.sleep(self._look_every)
        now = time.monotonic()
        return Seen(now - began, now - _committed(head))


def _committed(head: bytes) -> float:
    name = COMMITTED.lower().encode() + b":"
    return int(head.lower().partition(name)[2].split(b"\r\n")[0]) / 1e9
