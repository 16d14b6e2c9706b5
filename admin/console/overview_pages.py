"""The overview page, with the actions for many products at once."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.sessions import page_for
from admin.console import chart
from admin.console.blueprint import blp, live
from admin.console.overview import overview, repair_drift
from admin.monitoring.lag_history import DAY, HOUR, lag_history
from admin.relay import resync_runs
from web.pages.forms import InvalidFormError
from web.pages.shared import Shared

_polled = Shared(overview, seconds=1.0, usable=15.0)
SPANS = {"hour": HOUR, "day": DAY}


@blp.get("/")
@page_for(VIEWER)
def show_overview() -> str:
    return render_template("console/overview.html", now=overview(), **_lag())


@blp.get("/overview.json")
@page_for(VIEWER)
def live_overview() -> Response:
    found = _polled.get()
    regions = {part: render_template(f"console/overview_{part}.html", now=found) for part in ("now", "parts")}
    return live(regions)


@blp.get("/lag.json")
@page_for(VIEWER)
def live_lag() -> Response:
    return live({"lag": render_template("console/lag.html", **_lag())})


@blp.post("/resyncs")
@page_for(EDITOR)
def resync_many() -> AnyResponse:
    """Start a resync of every product or every stuck one; the relays carry it out."""
    what = request.form.get("what", "")
    if what not in resync_runs.SCOPES:
        raise InvalidFormError("Choose all products or the stuck ones.")
    resync_runs.request(what, author())
    flash("The resync has started. This page shows its progress; you can leave it.", "success")
    return redirect(url_for("console.show_overview"))


@blp.post("/resyncs/<int:run_id>/stop")
@page_for(EDITOR)
def stop_resync(run_id: int) -> AnyResponse:
    resync_runs.stop(run_id, author())
    flash("Stopped. Products that are already pending are still sent.", "info")
    return redirect(url_for("console.show_overview"))


@blp.post("/drift/repair")
@page_for(EDITOR)
def repair() -> AnyResponse:
    count = repair_drift()
    flash(
        f"{count} products are being repaired. A later comparison clears the drift.",
        "success",
    )
    return redirect(url_for("console.show_overview"))


def _lag() -> dict[str, Any]:
    name = request.args.get("span", "hour")
    name = name if name in SPANS else "hour"
    return {"span": name, "chart": chart.draw(lag_history(SPANS[name]), SPANS[name]), "height": chart.HEIGHT}
