"""Findings of the doctor: each says what is wrong and how to fix it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, EXIT_USAGE
from runtime.clocks import TOLERANCE
from runtime.masking import mask

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"
MAX_HEARTBEAT_AGE = timedelta(seconds=60)  # every process writes its heartbeat more often
MAX_OFFSET_SECONDS = 5.0  # the services tolerate more; people who compare times in logs do not


@dataclass(frozen=True, slots=True)
class Finding:
    """``fix`` says what to do where the state is not ok; ``exit_code`` is the doctor's for a failure."""

    check: str
    state: str
    what: str
    fix: str = ""
    exit_code: int = EXIT_FAILED

    def masked(self) -> "Finding":
        """Return it without secrets of the settings: a driver may quote the URL that it was given."""
        return replace(self, what=mask(self.what), fix=mask(self.fix))


def ok(check: str, what: str) -> Finding:
    return Finding(check, OK, what)


def warning(check: str, what: str, fix: str) -> Finding:
    return Finding(check, WARNING, what, fix)


def failed(check: str, what: str, fix: str) -> Finding:
    return Finding(check, FAILED, what, fix)


def skipped(check: str, what: str, fix: str) -> Finding:
    return Finding(check, SKIPPED, what, fix)


def wrong_setting(check: str, what: str, fix: str) -> Finding:
    return Finding(check, FAILED, what, fix, EXIT_USAGE)


def down(check: str, what: str, fix: str) -> Finding:
    return Finding(check, FAILED, what, fix, EXIT_DEPENDENCY_DOWN)


def clock_difference(check: str, theirs: datetime, ours: datetime, whose: str) -> Finding:
    """Compare another clock with this host's; both are aware or both are naive."""
    return offset(check, (theirs - ours).total_seconds(), whose)


def offset(check: str, seconds: float, whose: str) -> Finding:
    """Judge a clock that is ``seconds`` ahead of this host's."""
    if abs(seconds) <= MAX_OFFSET_SECONDS:
        return ok(check, f"{whose} differs by {abs(seconds):.1f} s")
    direction = "ahead of" if seconds > 0 else "behind"
    fix = (
        "Synchronise both hosts by NTP (timedatectl, chronyc tracking). Beyond a minute the services refuse each "
        "other's signatures, and messages expire before they arrive."
    )
    judge = warning if abs(seconds) <= TOLERANCE.total_seconds() else failed
    return judge(check, f"{whose} is {abs(seconds):.0f} s {direction} this host's", fix)


def heartbeat(check: str, seen: datetime | None, now: datetime, fix: str) -> Finding:
    """Judge the time of the last heartbeat, in UTC; ``seen`` and ``now`` are both aware or both naive."""
    if seen is not None and now - seen <= MAX_HEARTBEAT_AGE:
        return ok(check, "running")
    last = f"last heartbeat {seen:%Y-%m-%d %H:%M:%S} UTC" if seen else "it never ran"
    return failed(check, f"not running, {last}", fix)


@contextmanager
def unexpected_errors(found: list[Finding], check: str) -> Iterator[None]:
    """Turn an unexpected error into a finding, so that the other checks still run."""
    try:
        yield
    except Exception as error:
        found.append(failed(check, f"could not be checked: {error!r}", "Fix what failed above, then run doctor again."))
