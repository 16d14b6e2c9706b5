"""Measure one change at a time, from its request until it is in the Client's store."""

import json
import time
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection

from tools.bench import catalogue
from tools.bench.errors import BenchError
from tools.bench.load import Connection

_LONGEST = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds from the request of one change until its answer, and until it was visible."""

    answered: float
    visible: float


class Probe:
    """Creates products at ``path`` of a service, with skus that begin with ``prefix``."""

    def __init__(self, port: int, path: str, prefix: str, token: str = "") -> None:
        self._connection, self._path, self._prefix = Connection(port, token), path, prefix
        self._number = 0

    def create(self) -> tuple[float, int]:
        """Create the next product; return the seconds until the answer, and its id. Raises BenchError."""
        self._number += 1
        body = json.dumps(catalogue.content(self._number, self._prefix)).encode()
        began = time.monotonic()
        status, _, answer = self._connection.send("POST", self._path, body)
        answered = time.monotonic() - began
        if status != 201:
            raise BenchError(f"a create was answered {status}: {answer[:200]!r}")
        return answered, int(json.loads(answer)["id"])

    def see(self, documents: Collection[dict[str, Any]] | None = None, look_every: float = 0.0) -> Seen:
        """Create the next product and wait until it is in ``documents``, if any are given.

        Raises BenchError where it is lost.
        """
        began = time.monotonic()
        answered, product = self.create()
        while documents is not None and documents.find_one({"_id": product}, {"_id": 1}) is None:
            if time.monotonic() - began > _LONGEST:
                raise BenchError(f"product {product} did not arrive within {_LONGEST:.0f} s")
            time.sleep(look_every)
        return Seen(answered, time.monotonic() - began)
