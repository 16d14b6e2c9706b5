"""What the doctor finds: each with what is wrong and how to repair it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runtime.cli.commands import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, EXIT_USAGE
from runtime.clocks import TOLERANCE
from runtime.masking import mask

OK, WARNING, FAILED = "ok", "warning", "failed"
QUIET = timedelta(seconds=60)  # longer than any of our processes goes without a sign of life
SKEW_SECONDS = 5.0  # everything works with far more; times that people compare should agree better


@dataclass(frozen=True, slots=True)
class Finding:
    """``cure`` says what to do where the state is not ok; ``exit_code`` is what a failure means for a program."""

    check: str
    state: str
    what: str
    cure: str = ""
    exit_code: int = EXIT_FAILED

    def masked(self) -> "Finding":
        """Return it without the settings' secrets in its texts: a driver may quote the URL that it was given."""
        return replace(self, what=mask(self.what), cure=mask(self.cure))


def ok(check: str, what: str) -> Finding:
    return Finding(check, OK, what)


def warning(check: str, what: str, cure: str) -> Finding:
    return Finding(check, WARNING, what, cure)


def failed(check: str, what: str, cure: str) -> Finding:
    return Finding(check, FAILED, what, cure)


def wrong_setting(check: str, what: str, cure: str) -> Finding:
    return Finding(check, FAILED, what, cure, EXIT_USAGE)


def down(check: str, what: str, cure: str) -> Finding:
    return Finding(check, FAILED, what, cure, EXIT_DEPENDENCY_DOWN)


def skew(check: str, theirs: datetime, ours: datetime, whose: str) -> Finding:
    """Compare another clock with this host's; both are aware or both are naive."""
    return offset(check, (theirs - ours).total_seconds(), whose)


def offset(check: str, seconds: float, whose: str) -> Finding:
    """Judge a clock that is ``seconds`` ahead of this host's."""
    if abs(seconds) <= SKEW_SECONDS:
        return ok(check, f"{whose} differs by {abs(seconds):.1f} s")
    way = "ahead of" if seconds > 0 else "behind"
    cure = (
        "Have both hosts follow NTP (timedatectl, chronyc tracking); beyond a minute the services refuse each other's "
        "signatures, and messages expire before they arrive."
    )
    judge = warning if abs(seconds) <= TOLERANCE.total_seconds() else failed
    return judge(check, f"{whose} is {abs(seconds):.0f} s {way} this host's", cure)


def sign_of_life(check: str, seen: datetime | None, now: datetime, cure: str) -> Finding:
    """Judge when something was at work last, in UTC; ``seen`` and ``now`` are both aware or both naive."""
    if seen is not None and now - seen <= QUIET:
        return ok(check, "at work")
    last = f"last seen {seen:%Y-%m-%d %H:%M:%S} UTC" if seen else "never seen"
    return failed(check, f"no sign of life, {last}", cure)


@contextmanager
def nothing_left_unsaid(found: list[Finding], check: str) -> Iterator[None]:
    """An error that no check expected is a finding too, and does not keep the other checks from being made."""
    try:
        yield
    except Exception as error:
        found.append(failed(check, f"could not be checked: {error!r}", "Repair what failed above, and run it again."))
