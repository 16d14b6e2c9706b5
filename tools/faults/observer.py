"""Read the Client's copies during a trial, and report states that must not exist at any moment."""

import threading
import time
from typing import Any, Self

from pymongo.errors import PyMongoError

from tools.faults.stores import ClientStore, Verdict

_LEAST_PAUSE = 0.25  # seconds between two reads; reading takes at most a fifth of the time


class Observer:
    """Reports versions that decrease, deleted products that come back, and states that are applied twice.

    A state read twice was applied twice where its ``applied_at`` differs: each write sets it.
    """

    def __init__(self, store: ClientStore) -> None:
        self._products = store.database["products"]
        self._seen: dict[int, dict[str, Any]] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.verdict = Verdict()
        self.reads = 0

    def __enter__(self) -> Self:
        newest = self._products.find_one(sort=[("_id", -1)])
        self._newer = {"_id": {"$gt": newest["_id"] if newest else 0}}
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ending.set()
        self._thread.join()
        self._read()

    def _run(self) -> None:
        rest = _LEAST_PAUSE
        while not self._ending.wait(rest):
            began = time.monotonic()
            try:
                self._read()
            except PyMongoError:
                continue  # the fault is in this store
            rest = max(_LEAST_PAUSE, 4 * (time.monotonic() - began))

    def _read(self) -> None:
        for doc in self._products.find(self._newer, {"sequence": 1, "deleted": 1, "applied_at": 1}):
            before = self._seen.get(doc["_id"], doc)
            self._seen[doc["_id"]] = doc
            if doc["sequence"] < before["sequence"]:
                self.verdict.resurrected.append(f"seen: product {doc['_id']} went from {before} back to {doc}")
            elif before["deleted"] and not doc["deleted"]:
                self.verdict.resurrected.append(f"seen: product {doc['_id']} came back: {doc}")
            elif doc["sequence"] == before["sequence"] and doc["applied_at"] != before["applied_at"]:
                self.verdict.duplicated.append(f"seen: product {doc['_id']} applied twice: {before}, {doc}")
        self.reads += 1
