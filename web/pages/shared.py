"""A result that all threads of a process share for some seconds, so that many viewers cost as little as one."""

import math
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from dogpile.cache import make_region

T = TypeVar("T")
_KEY = "result"


class Shared(Generic[T]):
    """The result of ``compute``, shared for ``seconds``, or for ``ratio`` times as long as computing it took.

    One thread computes at a time. Meanwhile the others get the last result if it is at most ``usable`` seconds old,
    and wait otherwise. Errors are not stored.
    """

    def __init__(
        self, compute: Callable[[], T], seconds: float, *, usable: float = math.inf, ratio: float = 0.0
    ) -> None:
        self._compute, self._seconds, self._usable, self._ratio = compute, seconds, usable, ratio
        self._lifetime = seconds
        self._region = make_region().configure("dogpile.cache.memory")

    def get(self) -> T:
        """Return the result. Raises what ``compute`` raises."""
        last = self._region.get_value_metadata(_KEY, ignore_expiration=True)
        if last and not 0 <= last.age < self._usable:  # below 0 after the clock was set back
            self._region.delete(_KEY)
        result: T = self._region.get_or_create(_KEY, self._timed, expiration_time=self._lifetime)
        return result

    def _timed(self) -> T:
        began = time.monotonic()
        result = self._compute()
        self._lifetime = max(self._seconds, self._ratio * (time.monotonic() - began))
        return result
