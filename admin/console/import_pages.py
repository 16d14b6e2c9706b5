"""Pages for imports: upload a catalogue file, follow its progress, see the skipped rows."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.sessions import page_for
from admin.catalogue.models import CONTENT_FIELDS
from admin.catalogue.validation import DEFAULTS, REQUIRED
from admin.console.blueprint import blp, live
from admin.db.engine import utc_now
from admin.db.extensions import db
from admin.imports import service
from admin.imports.errors_csv import errors_csv
from admin.imports.models import WAITING, ImportJob
from admin.imports.runner import MAX_ERRORS
from admin.imports.service import UnacceptableFileError
from runtime.ids import to_id
from web.http.uploads import accepts_upload

_SHOWN = 25
_ERRORS = 50
_STARTS_WITHIN = timedelta(seconds=15)  # when a relay runs and has no other import

Answer = str | AnyResponse | tuple[str, HTTPStatus]


@blp.get("/imports")
@page_for(VIEWER)
def list_imports() -> Answer:
    return _listed()


@blp.post("/imports")
@accepts_upload(service.MAX_MEBIBYTES)
@page_for(EDITOR)
def submit_import() -> Answer:
    file = request.files.get("file")
    try:
        job = service.submit(file.stream if file else None, (file and file.filename) or "", author())
    except UnacceptableFileError as error:
        return _listed(f"It {error.errors[0]['detail']}."), error.status
    flash("The file is uploaded and imported in the background. You can leave this page.", "success")
    return redirect(url_for("console.show_import", job_id=job.id), HTTPStatus.SEE_OTHER)


@blp.get("/imports.json")
@page_for(VIEWER)
def live_imports() -> Response:
    rows = render_template("console/import_rows.html", jobs=_jobs()[:_SHOWN], blocked_by=_blocked_by)
    return live({"jobs": rows})


@blp.get("/imports/<int:job_id>")
@page_for(VIEWER)
def show_import(job_id: int) -> str:
    return render_template("console/import.html", **_about(job_id))


@blp.get("/imports/<int:job_id>/live.json")
@page_for(VIEWER)
def live_import(job_id: int) -> Response:
    return live({"now": render_template("console/import_now.html", **_about(job_id))})


@blp.get("/imports/<int:job_id>/errors.csv")
@page_for(VIEWER)
def download_import_errors(job_id: int) -> Response:
    return errors_csv(job_id)


@blp.post("/imports/<int:job_id>/cancel")
@page_for(EDITOR)
def cancel_import(job_id: int) -> AnyResponse:
    """Cancel an import: it ends after the chunk that is being imported. A finished import does not change."""
    service.cancel(job_id)
    return redirect(url_for("console.show_import", job_id=job_id), HTTPStatus.SEE_OTHER)


def _listed(error: str = "") -> str:
    jobs = _jobs()
    more = url_for("console.list_imports", before=jobs[_SHOWN - 1].id) if len(jobs) > _SHOWN else None
    columns = {"required": [name for name in CONTENT_FIELDS if name in REQUIRED], "optional": list(DEFAULTS)}
    shown = {"jobs": jobs[:_SHOWN], "next_url": more, "blocked_by": _blocked_by, "before": _before()}
    return render_template("console/imports.html", error=error, columns=columns, most=service.MAX_MEBIBYTES, **shown)


def _jobs() -> list[ImportJob]:
    return list(service.list_jobs(_SHOWN + 1, _before()))


def _before() -> int | None:
    return request.args.get("before", type=to_id)


def _about(job_id: int) -> dict[str, Any]:
    job = service.get_job(job_id)
    after = min(max(request.args.get("after", 0, type=int), 0), 2**31 - 1)
    errors = service.list_errors(job_id, _ERRORS, after)
    more = url_for("console.show_import", job_id=job_id, after=errors[-1].line) if len(errors) == _ERRORS else None
    return {
        "job": job,
        "errors": errors,
        "next_url": more,
        "after": after,
        "max_errors": MAX_ERRORS,
        "blocked_by": _blocked_by,
    }


def _blocked_by(job: ImportJob) -> str:
    """Return why an unfinished job makes no progress, empty where it does."""
    if not job.active:
        return ""
    now: datetime = db.session.execute(select(utc_now())).scalar_one()
    db.session.rollback()
    if job.state == WAITING and now - job.submitted_at > _STARTS_WITHIN:
        return "No relay has started it. Each relay imports one file at a time; check that “lockstep relay” runs."
    if job.claimed_until and job.claimed_until < now:
        return "The relay that imported it stopped. Another one resumes it."
    return ""
