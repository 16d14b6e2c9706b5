"""The replication's status as a table for the terminal."""

from rich.markup import escape
from rich.table import Table

from admin.monitoring import status
from admin.monitoring.state_texts import STATE_TEXTS
from admin.reconcile import check
from contract.messages import format_time

_COLOURS = {"ok": "green", "busy": "yellow", "bad": "red", "unknown": "red"}


def table(now: status.Status) -> Table:
    """Return the status as rows of name and value. Colour only repeats what the text says."""
    text = STATE_TEXTS[now.state]
    advice = f" Run '{text.command}'." if text.command else ""
    rows = Table(show_header=False, box=None)
    rows.add_row("state", f"[{_COLOURS[text.tone]}]{text.label}: {text.meaning}{advice}[/]")
    if now.alarm:
        rows.add_row("restored", f"{now.alarm}'s database, detected {format_time(now.alarm_since or now.now)}")
    if now.client_error:
        rows.add_row("Client", escape(now.client_error))
    rows.add_row("pending", f"{now.pending}, of them {now.in_flight} in flight and {now.stuck} stuck")
    rows.add_row("oldest change", _oldest(now.oldest))
    rows.add_row("lag", _lag(now.lag))
    rows.add_row("last result", _last(now.last_result))
    rows.add_row("drift", _drift(now.drift))
    if now.client:
        rows.add_row("likes", f"{now.client.likes_pending} pending, {now.client.likes_parked} parked")
        rows.add_row("dead letters", f"{now.client.dead_letters} open")
        rows.add_row("images", f"{now.client.images_wanted} to be copied")
    for queue, depth in now.queues.items():
        rows.add_row(queue, "unknown" if depth is None else f"{depth} messages")
    return rows


def _oldest(oldest: status.Oldest | None) -> str:
    if oldest is None:
        return "none"
    error = f": {escape(oldest.error)}" if oldest.error else ""
    return f"product {oldest.product_id} version {oldest.version}, {oldest.age:.1f} s old, {oldest.state}{error}"


def _lag(lag: status.Lag) -> str:
    if lag.p50 is None or lag.p99 is None:
        return "no change arrived in the last hour"
    return f"p50 {lag.p50:.3f} s, p99 {lag.p99:.3f} s over {lag.changes} changes of the last hour"


def _last(last: status.LastResult | None) -> str:
    if last is None:
        return "nothing verified yet"
    return f"product {last.product_id} version {last.version} verified {format_time(last.verified_at)}"


def _drift(drift: check.Summary) -> str:
    finished = format_time(drift.pass_finished_at) if drift.pass_finished_at else "not yet"
    examples = ", ".join(f"{example.product_id} {example.kind}" for example in drift.examples)
    found = f": {examples}" + (", …" if drift.confirmed > len(drift.examples) else "") if examples else ""
    return f"{drift.confirmed} products, {drift.suspected} suspected{found}; last full comparison: {finished}"
