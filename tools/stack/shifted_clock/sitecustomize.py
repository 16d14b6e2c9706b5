"""Imported first by a Python process whose clock ``tools.stack.clock`` shifts.

Python sleeps until a moment of the monotonic clock; libfaketime (0.9.10) makes a wrong moment of that, and the sleep
fails with EINVAL. A select of nothing takes seconds instead.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    wanted = float(seconds)
    if wanted < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], wanted)


time.sleep = _sleep
