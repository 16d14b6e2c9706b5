"""Which sent rows a relay looks at sooner than their backoff says: in a lane that moves, those sent longest ago.

The backoff alone would see a long queue's end late, by a good part of the time that it took. It is a head start only:
what another relay sent, or this one before a restart, waits for its backoff.
"""

import math
import time
from collections import deque

from admin.outbox.models import Replication
from admin.relay.verify import Verdict
from contract.names import LANE_QUEUES

MOVING = 10.0  # seconds since something arrived, or the broker came back, within which the next may arrive
_KEPT = 20  # claims per lane: more than a window of full ones


class RecheckSchedule:
    """What one relay sent, oldest first, and when each lane moved last."""

    def __init__(self) -> None:
        self._claims: dict[str, deque[list[Replication]]] = {lane: deque(maxlen=_KEPT) for lane in LANE_QUEUES}
        self._moved = dict.fromkeys(LANE_QUEUES, -math.inf)

    def sent(self, lane: str, rows: list[Replication]) -> None:
        """Note a claim of fresh rows that was sent; its ``due_at`` is when."""
        self._claims[lane].append(rows)

    def broker_recovered(self) -> None:
        """Note that the broker is back: in a moment, workers are too."""
        self._moved = dict.fromkeys(LANE_QUEUES, time.monotonic())

    def due_soon(self, lane: str, rows: list[Replication], verdict: Verdict) -> list[Replication]:
        """Return what to look at in a moment, after a look at ``rows``: those of them that were sent longest ago, or
        the claim that was sent next.
        """
        left, now = [*verdict.missing, *verdict.differing], time.monotonic()
        if len(left) < len(rows):
            self._moved[lane] = now
        elif now - self._moved[lane] > MOVING:
            return []
        claims, upto = self._claims[lane], verdict.arrived_upto
        while claims and upto and (sent_at := claims[0][0].due_at) and sent_at <= upto:
            claims.popleft()
        first = claims[0][0].due_at if claims else upto
        return [row for row in left if first and row.sent_at and row.sent_at <= first] or (claims[0] if claims else [])
