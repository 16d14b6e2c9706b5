"""Selects sent rows that a relay rechecks before their backoff ends: while rows of a lane arrive, those sent first.

With the backoff alone, the last rows of a long queue would be verified long after they arrived.
Rows that another relay sent, or this one before a restart, wait for their backoff.
"""

import math
import time
from collections import deque

from admin.outbox.models import Replication
from admin.relay.verify import Verdict
from contract.names import LANE_QUEUES

ACTIVE_SECONDS = 10.0  # after an arrival, or the broker's recovery, in which a lane counts as active
_MAX_CLAIMS = 20  # per lane: more than a window of full ones


class RecheckSchedule:
    """The claims that one relay sent, oldest first, and the last arrival in each lane."""

    def __init__(self) -> None:
        self._claims: dict[str, deque[list[Replication]]] = {lane: deque(maxlen=_MAX_CLAIMS) for lane in LANE_QUEUES}
        self._active_at = dict.fromkeys(LANE_QUEUES, -math.inf)

    def sent(self, lane: str, rows: list[Replication]) -> None:
        """Record a claim of fresh rows that was sent at its ``due_at``."""
        self._claims[lane].append(rows)

    def broker_recovered(self) -> None:
        """Count every lane as active: workers reconnect soon after the broker."""
        self._active_at = dict.fromkeys(LANE_QUEUES, time.monotonic())

    def due_soon(self, lane: str, rows: list[Replication], verdict: Verdict) -> list[Replication]:
        """Return the rows to recheck in a moment, after a recheck of ``rows``: the unverified ones of them that were
        sent first, else the claim that was sent next.
        """
        left, now = [*verdict.missing, *verdict.differing], time.monotonic()
        if len(left) < len(rows):
            self._active_at[lane] = now
        elif now - self._active_at[lane] > ACTIVE_SECONDS:
            return []
        claims, upto = self._claims[lane], verdict.arrived_upto
        while claims and upto and (sent_at := claims[0][0].due_at) and sent_at <= upto:
            claims.popleft()
        first = claims[0][0].due_at if claims else upto
        return [row for row in left if first and row.sent_at and row.sent_at <= first] or (claims[0] if claims else [])
