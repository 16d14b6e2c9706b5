"""The states of the replication as people read them, in the console and at the terminal."""

from dataclasses import dataclass

from admin.monitoring.status import DRIFTED, IN_SYNC, PENDING, RESTORED, STUCK_ROWS, UNKNOWN


@dataclass(frozen=True, slots=True)
class StateText:
    """``tone`` is that of a chip: ok, busy, bad or unknown. ``command`` shows or repairs the cause, where one does."""

    label: str
    tone: str
    meaning: str
    command: str = ""


STATE_TEXTS = {
    IN_SYNC: StateText("in sync", "ok", "The shop shows every change."),
    PENDING: StateText("pending", "busy", "Changes are on their way to the shop."),
    STUCK_ROWS: StateText(
        "stuck", "bad", "The Client refuses some products. All others arrive.", "lockstep sync resync --stuck"
    ),
    DRIFTED: StateText(
        "drift", "bad", "Some products differ at the Client although no change is pending.", "lockstep sync diff"
    ),
    UNKNOWN: StateText("unknown", "unknown", "The Client does not answer, so its state is unknown."),
    RESTORED: StateText(
        "restored", "bad", "A database was restored from a backup. Sync needs a recovery.", "lockstep sync recover"
    ),
}
