"""The relay: claims due outbox rows, verifies which arrived, sends the others, repairs copies that no message changes.

Any number of relays may run. Each lane has a window: at most WINDOW rows are sent and not verified, so that a slow
Client never fills the broker. Two steps alternate: ``recheck`` verifies rows that were sent, ``send_fresh`` sends rows
that were never sent. After a crash at any point the rows are due again; a duplicate message is harmless.
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
RESERVE = WINDOW // 10  # of the window, for rows never sent: products that always fail cannot fill it
CLAIM = MAX_IDS  # rows per step: one call to the Client
SENT_WITHOUT_ASKING = 9  # claims of a backlog that are sent unverified after one of which nothing had arrived
IDLE_SECONDS = 0.5  # between two ticks that find nothing due …
CALM_SECONDS = 1.0  # … and after CALM_AFTER of them: an idle relay mostly costs its wake-ups
CALM_AFTER = 20
OUTAGE_PAUSE_SECONDS = 2.0
# A queue is empty as soon as a worker receives its last message, which then takes time to be applied.
RESEND_AFTER = timedelta(seconds=4)

log = structlog.get_logger(__name__)


class Relay:
    """One relay. ``run`` works until ``stop`` is called. Needs an application context."""

    def __init__(self, heartbeat: Heartbeat | None = None) -> None:
        self._publisher = Publisher()
        self._heartbeat = heartbeat
        self._stopping = threading.Event()
        self._send_without_asking: Counter[str] = Counter()
        self._recheck_schedule = RecheckSchedule()
        self._interrupted = False
        self._idle_ticks = 0  # in a row

    def stop(self) -> None:
        """Let ``run`` return after the current step."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; wait while the database, the broker or the Client is down."""
        log.info("relay started")
        while not self._stopping.is_set():
            if self._heartbeat:
                self._heartbeat.beat()
            self._stopping.wait(self._tick())
        self._publisher.close()
        log.info("relay stopped")

    def _tick(self) -> float:
        """Do one step of each kind on each lane; return the pause before the next, in seconds."""
        try:
            busy = claims.any_due() and [
                step(lane) for lane in names.LANE_QUEUES for step in (self.recheck, self.send_fresh)
            ]
        except PublishError as error:
            log.warning("the broker is unavailable", error=str(error))
            return OUTAGE_PAUSE_SECONDS
        except OUTAGES as error:
            log.warning("the database is unavailable", error=str(error.__cause__ or error))
            return OUTAGE_PAUSE_SECONDS
        except Exception:  # the other lanes and rows are still served
            log.exception("a step failed")
            return OUTAGE_PAUSE_SECONDS
        finally:
            db.session.remove()
        self._idle_ticks = 0 if busy else self._idle_ticks + 1
        if busy and any(busy):
            return 0.0
        return IDLE_SECONDS if self._idle_ticks < CALM_AFTER else CALM_SECONDS

    def recheck(self, lane: str) -> bool:
        """Verify due rows that were sent; send lost ones again once the lane's queue is empty.

        Returns whether to check more rows at once: where some were verified, more have probably arrived.
        """
        rows = claims.claim(lane, (SENT, STUCK), CLAIM)
        if not rows:
            return False
        verdict = self._verify(rows, lane)
        if verdict is None:
            return False  # without an answer no row counts as lost
        if self._repair(verdict, lane):
            _mark_sent(verdict.differing, verdict)
        lost = [row for row in verdict.missing if row.state == STUCK or claims.time_in_flight(row) >= RESEND_AFTER]
        if lost and self._publisher.depth(names.LANE_QUEUES[lane]) == 0:
            self._resend(lost, verdict, lane)
        if soon := self._recheck_schedule.due_soon(lane, rows, verdict):
            claims.expedite(soon)
        return len(verdict.missing) + len(verdict.differing) < len(rows)

    def send_fresh(self, lane: str) -> bool:
        """Send due fresh rows, as many as the window allows. Returns whether more may be due."""
        limit = min(self._window_left(lane), CLAIM)
        rows = claims.claim(lane, (FRESH,), limit) if limit else []
        if not rows:
            return False
        verdict = self._verify_first(rows, lane) or Verdict(rows, [])
        self._repair(verdict, lane)
        try:
            self._send(verdict, lane)
        except PublishError:
            self._interrupted = True
            claims.release(verdict.missing)
            ATTEMPTS.labels("unpublished").inc(len(verdict.missing))
            raise
        self._recheck_schedule.sent(lane, rows)
        self._after_interruption()
        return len(rows) == limit

    def _after_interruption(self) -> None:
        """Recheck soon all that was sent before, once the broker works again: its messages may arrive at any moment."""
        if self._interrupted:
            self._interrupted = False
            self._recheck_schedule.broker_recovered()
            claims.expedite_all()

    def _verify_first(self, rows: list[Replication], lane: str) -> Verdict | None:
        """Verify ``rows`` before sending them: the eager publisher may have sent them, or a resync may find them equal.

        Returns None, without a call, for a new import and for the rest of a backlog of which nothing had arrived.
        """
        if self._send_without_asking[lane] and len(rows) == CLAIM:
            self._send_without_asking[lane] -= 1
            return None
        if lane != names.INTERACTIVE and not any(row.verified_sequence for row in rows):
            return None
        verdict = self._verify(rows, lane)
        nothing_arrived = verdict is not None and len(verdict.missing) == CLAIM
        self._send_without_asking[lane] = SENT_WITHOUT_ASKING if nothing_arrived else 0
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
            change_log.record_first_sent(verdict.missing)

    def _resend(self, missing: list[Replication], verdict: Verdict, lane: str) -> None:
        """Send each row in a task of its own: a message that kills its worker must not delay others."""
        for message in current_messages([row.product_id for row in missing]):
            dispatch.send(self._publisher, [message], lane, "debug")  # an outage makes thousands of these lines
        _mark_sent(missing, verdict)
        ATTEMPTS.labels("lost").inc(len(missing))
        causation.log_items(log, "sent again", missing, lane=lane)

    def _repair(self, verdict: Verdict, lane: str) -> bool:
        """Repair the copies that no message would change. Returns whether the Client was reached; needs no broker."""
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

    def _window_left(self, lane: str) -> int:
        in_flight = db.session.execute(
            select(func.count()).select_from(Replication).where(Replication.lane == lane, Replication.state == SENT)
        ).scalar_one()
        db.session.rollback()
        if in_flight < WINDOW - RESERVE:
            return WINDOW - in_flight
        return RESERVE if self._publisher.depth(names.LANE_QUEUES[lane]) == 0 else 0


def _mark_sent(rows: list[Replication], verdict: Verdict) -> None:
    claims.mark_sent(rows, [row for row in rows if verdict.lost(row)])
