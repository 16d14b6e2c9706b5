"""Load: several users at once through both public APIs, each with products and likes of their own."""

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import requests

from tools.faults.ledger import Ledger
from tools.stack.api import AdminApi, ApiError, ClientApi

MIX = {"create": 5, "update": 5, "delete": 1, "like": 3}
_REST = 0.1  # seconds after a failed call
_CURRENCIES = ("EUR", "USD", "SEK")


@dataclass(frozen=True)
class User:
    """The connections of one user to both services. Used by one thread at a time."""

    admin: AdminApi
    client: ClientApi
    shopper_id: str


@dataclass
class Load:
    """Makes calls until the ``with`` block ends. ``seed`` and a thread's number determine all its calls.

    ``pace`` is the longest pause between two calls, in seconds. ``at_most`` writes end the run. ``took`` collects
    (kind, seconds) of every accepted call.
    """

    users: list[User]
    seed: int
    mix: Mapping[str, int] = field(default_factory=lambda: MIX)
    pace: float = 0.05
    at_most: int | None = None
    ledger: Ledger = field(default_factory=Ledger)
    took: list[tuple[str, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(user, number), name=f"user {number}", daemon=True)
            for number, user in enumerate(self.users)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> bool:
        """Whether calls are still being made."""
        return any(thread.is_alive() for thread in self._threads)

    def wait_for(self, writes: int, within: float = 60) -> None:
        """Wait until ``writes`` more are accepted, or ``at_most`` in all. Raises TimeoutError."""
        goal, deadline = self.ledger.accepted + writes, time.monotonic() + within
        while self.ledger.accepted < goal and self.busy:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{writes} writes were not accepted within {within:.0f} s: {self.failures[-3:]}")
            time.sleep(0.02)

    def _run(self, user: User, number: int) -> None:
        someone = _Someone(self, user, random.Random(f"{self.seed}/{number}"), f"f{self.seed}-{number}")
        while not self._ending.is_set() and (self.at_most is None or self.ledger.accepted < self.at_most):
            if not someone.act():
                self._ending.wait(_REST)
            elif self.pace:
                self._ending.wait(someone.chance.random() * self.pace)


class _Someone:
    """The user of one thread, with the products and likes of their own."""

    def __init__(self, load: Load, user: User, chance: random.Random, name: str) -> None:
        self._load, self._user, self.chance, self._name = load, user, chance, name
        self._ledger = load.ledger
        self._mine: list[int] = []
        self._made = 0

    def act(self) -> bool:
        """Make one call; return whether it was accepted."""
        kinds = list(self._load.mix)
        [kind] = self.chance.choices(kinds, list(self._load.mix.values()))
        if not self._mine:
            kind = "create"
        began = time.monotonic()
        try:
            getattr(self, f"_{kind}")()
        except ApiError as error:
            self._load.failures.append(str(error)[:200])
            return False
        except requests.RequestException as error:
            self._load.failures.append(repr(error)[:200])
            return False
        self._load.took.append((kind, time.monotonic() - began))
        return True

    def _create(self) -> None:
        self._made += 1
        content = {
            "sku": f"{self._name}-{self._made}",
            "title": f"Thing {self.chance.randrange(1000)}",
            "description": "x" * self.chance.randrange(200),
            "price": f"{self.chance.randrange(1, 9999)}.{self.chance.randrange(100):02}",
            "currency": self.chance.choice(_CURRENCIES),
            "category": "Faults",
            "image_url": "",
        }
        product = self._called(None, lambda: self._user.admin.create(content))
        self._ledger.accept(product["id"], product["version"], product)
        self._mine.append(product["id"])

    def _update(self) -> None:
        product_id = self.chance.choice(self._mine)
        title = f"Renamed {self.chance.getrandbits(64)}"  # never the current title
        product = self._called(product_id, lambda: self._user.admin.update(product_id, title=title))
        self._ledger.accept(product_id, product["version"], product)

    def _delete(self) -> None:
        product_id = self.chance.choice(self._mine)
        self._mine.remove(product_id)  # with any result, no later call uses it
        self._called(product_id, lambda: self._user.admin.delete(product_id))
        entry = self._ledger.products[product_id]
        self._ledger.accept(product_id, entry.version + 1, None)

    def _like(self) -> None:
        product_id, liked = self.chance.choice(self._mine), self.chance.random() < 0.7
        call = self._user.client.like if liked else self._user.client.unlike
        try:
            call(product_id)
        except (ApiError, requests.RequestException) as error:
            if isinstance(error, ApiError) and error.status < 500:
                self._ledger.refuse()  # the product has not arrived yet
            else:
                self._ledger.record_unanswered_like(product_id, self._user.shopper_id)
            raise
        self._ledger.accept_like(product_id, self._user.shopper_id, liked)

    def _called(self, product_id: int | None, call: Any) -> Any:
        try:
            return call()
        except ApiError as error:
            if error.status < 500:
                self._ledger.refuse()
            else:
                self._ledger.record_unanswered(product_id)
            raise
        except requests.RequestException:
            self._ledger.record_unanswered(product_id)
            raise
