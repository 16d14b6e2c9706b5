"""A3: the relay. Claims due rows, asks whether they arrived (A6), sends what did not, and repairs the copies that no
message would change. Any number may run.

Each lane has a window: at most WINDOW rows are sent and not verified, so that a slow Client never fills the
broker. Within it, two steps alternate: ``settle`` rechecks rows that were sent, ``feed`` sends fresh ones.
A crash anywhere leaves rows due again; a duplicate is harmless (A5).
"""

import threading
from collections import Counter
from datetime import timedelta

import structlog
from sqlalchemy import func, select

from admin.catalogue.messages import current_messages
from admin.db.engine import OUTAGES
from admin.db.extensions import db
from admin.outbox import change_log, dispatch
from admin.outbox.client_gateway import ClientUnavailableError
from admin.outbox.models import FRESH, SENT, STUCK, Replication
from admin.outbox.repair import repair
from admin.relay import claims
from admin.relay.recheck import RecheckSchedule
from admin.relay.restore_detection import RestoredError
from admin.relay.verify import Verdict, verify
from contract import causation, names
from contract.messages import MAX_IDS
from contract.publisher import Publisher, PublishError
from contract.service_calls import Repair
from runtime.heartbeat import Heartbeat
from runtime.metrics import ATTEMPTS

WINDOW = 5_000  # rows sent and not verified, per lane
RESERVE = WINDOW // 10  # of it for rows never sent, so that poison cannot fill the window
CLAIM = MAX_IDS  # rows per step: one question to the Client
UNASKED = 9  # batches of a backlog that are sent after one of which nothing had arrived
IDLE_SECONDS = 0.5
BROKER_REST_SECONDS = 2.0
# A queue is empty as soon as its last message is in a worker's hands: give that one time to be applied.
RESEND_AFTER = timedelta(seconds=4)

log = structlog.get_logger(__name__)


class Relay:
    """One relay process; ``run`` works until ``stop`` is called. Needs an application context."""

    def __init__(self, heartbeat: Heartbeat | None = None) -> None:
        self._publisher = Publisher()
        self._heartbeat = heartbeat
        self._stopping = threading.Event()
        self._unasked: Counter[str] = Counter()
        self._recheck_schedule = RecheckSchedule()
        self._interrupted = False

    def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; outages of the database, broker or Client are waited out."""
        log.info("relay started")
        while not self._stopping.is_set():
            if self._heartbeat:
                self._heartbeat.beat()
            self._stopping.wait(self._tick())
        self._publisher.close()
        log.info("relay stopped")

    def _tick(self) -> float:
        """Do one step of each kind on each lane; return how long to rest, in seconds."""
        try:
            busy = claims.any_due() and [step(lane) for lane in names.LANE_QUEUES for step in (self.settle, self.feed)]
        except PublishError as error:
            log.warning("the broker is not available", error=str(error))
            return BROKER_REST_SECONDS
        except OUTAGES as error:
            log.warning("the database is not available", error=str(error.__cause__ or error))
            return BROKER_REST_SECONDS
        except Exception:  # the other lanes and rows must go on
            log.exception("a step failed")
            return BROKER_REST_SECONDS
        finally:
            db.session.remove()
        return 0.0 if busy and any(busy) else IDLE_SECONDS

    def settle(self, lane: str) -> bool:
        """Ask after due rows that were sent; send again what the queue no longer holds.

        Returns whether looking at more rows right away makes sense: a Client that just proved some has more.
        """
        rows = claims.claim(lane, (SENT, STUCK), CLAIM)
        if not rows:
            return False
        verdict = self._verify(rows, lane)
        if verdict is None:
            return False  # what arrived is unknown, so nothing is known to be lost
        if self._repair(verdict, lane):
            _mark_sent(verdict.differing, verdict)
        lost = [row for row in verdict.missing if row.state == STUCK or claims.under_way(row) >= RESEND_AFTER]
        if lost and self._publisher.depth(names.LANE_QUEUES[lane]) == 0:
            self._resend(lost, verdict, lane)
        if soon := self._recheck_schedule.due_soon(lane, rows, verdict):
            claims.expedite(soon)
        return len(verdict.missing) + len(verdict.differing) < len(rows)

    def feed(self, lane: str) -> bool:
        """Send due fresh rows, as many as the window has room for. Returns whether there may be more."""
        room = min(self._room(lane), CLAIM)
        rows = claims.claim(lane, (FRESH,), room) if room else []
        if not rows:
            return False
        verdict = self._ask_first(rows, lane) or Verdict(rows, [])
        self._repair(verdict, lane)
        try:
            self._send(verdict, lane)
        except PublishError:
            self._interrupted = True
            claims.put_back(verdict.missing)
            ATTEMPTS.labels("unpublished").inc(len(verdict.missing))
            raise
        self._recheck_schedule.sent(lane, rows)
        self._after_interruption()
        return len(rows) == room

    def _after_interruption(self) -> None:
        """The broker is back: what was sent before has been under way for long, but may arrive any moment."""
        if self._interrupted:
            self._interrupted = False
            self._recheck_schedule.broker_recovered()
            claims.expedite_all()

    def _ask_first(self, rows: list[Replication], lane: str) -> Verdict | None:
        """Ask what the Client holds before sending: the eager publisher may have sent it, or a resync may ask for what
        is right. A new import is not asked about, nor is the rest of a backlog of which nothing had arrived.
        """
        if self._unasked[lane] and len(rows) == CLAIM:
            self._unasked[lane] -= 1
            return None
        if lane != names.INTERACTIVE and not any(row.verified_sequence for row in rows):
            return None
        verdict = self._verify(rows, lane)
        fruitless = verdict is not None and len(verdict.missing) == CLAIM
        self._unasked[lane] = UNASKED if fruitless else 0
        return verdict

    def _verify(self, rows: list[Replication], lane: str) -> Verdict | None:
        try:
            verdict = verify(rows, lane)
        except (ClientUnavailableError, RestoredError) as error:
            log.warning("cannot verify", lane=lane, error=str(error))
            return None
        ATTEMPTS.labels("verified").inc(len(rows) - len(verdict.missing) - len(verdict.differing))
        return verdict

    def _send(self, verdict: Verdict, lane: str) -> None:
        messages = current_messages([row.product_id for row in verdict.missing])
        for batch in dispatch.split(messages):
            dispatch.send(self._publisher, batch, lane)
        if messages:
            change_log.note_first_sent(verdict.missing)

    def _resend(self, missing: list[Replication], verdict: Verdict, lane: str) -> None:
        """Each alone: one that kills its worker must not take others along."""
        for message in current_messages([row.product_id for row in missing]):
            dispatch.send(self._publisher, [message], lane, "debug")  # thousands after an outage
        _mark_sent(missing, verdict)
        ATTEMPTS.labels("lost").inc(len(missing))
        causation.log_items(log, "sent again", missing, lane=lane)

    def _repair(self, verdict: Verdict, lane: str) -> bool:
        """Have the Client replace the copies that no message would change. Returns whether it did; needs no broker."""
        if not verdict.differing:
            return False
        states = current_messages([row.product_id for row in verdict.differing])
        try:
            outcomes = repair(Repair(state.id, verdict.seen[state.id], state) for state in states)
        except ClientUnavailableError as error:
            log.warning("cannot repair", lane=lane, error=str(error))
            return False
        ATTEMPTS.labels("differing").inc(len(states))
        causation.log_items(log, "repaired", states, lane=lane, outcomes=dict(Counter(outcomes.values())))
        return True

    def _room(self, lane: str) -> int:
        in_flight = db.session.execute(
            select(func.count()).select_from(Replication).where(Replication.lane == lane, Replication.state == SENT)
        ).scalar_one()
        db.session.rollback()
        if in_flight < WINDOW - RESERVE:
            return WINDOW - in_flight
        return RESERVE if self._publisher.depth(names.LANE_QUEUES[lane]) == 0 else 0


def _mark_sent(rows: list[Replication], verdict: Verdict) -> None:
    claims.mark_sent(rows, [row for row in rows if verdict.lost(row)])
