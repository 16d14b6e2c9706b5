"""Imports: uploading a catalogue file, how far each is, what was skipped and why."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.sessions import page_for
from admin.catalogue.import_rows import DEFAULTS, REQUIRED
from admin.catalogue.models import CONTENT_FIELDS
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
_TAKEN_WITHIN = timedelta(seconds=15)  # by a relay that is up and has nothing else to import

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
    flash("The file is here. You may leave; it is imported in the background.", "success")
    return redirect(url_for("console.show_import", job_id=job.id), HTTPStatus.SEE_OTHER)


@blp.get("/imports.json")
@page_for(VIEWER)
def live_imports() -> Response:
    rows = render_template("console/import_rows.html", jobs=_jobs()[:_SHOWN], trouble=_trouble)
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
    """End it within a chunk. One that is finished stays as it is; its page says so."""
    service.cancel(job_id)
    return redirect(url_for("console.show_import", job_id=job_id), HTTPStatus.SEE_OTHER)


def _listed(error: str = "") -> str:
    jobs = _jobs()
    more = url_for("console.list_imports", before=jobs[_SHOWN - 1].id) if len(jobs) > _SHOWN else None
    columns = {"required": [name for name in CONTENT_FIELDS if name in REQUIRED], "optional": list(DEFAULTS)}
    shown = {"jobs": jobs[:_SHOWN], "next_url": more, "trouble": _trouble, "before": _before()}
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
    return {"job": job, "errors": errors, "next_url": more, "after": after, "kept": MAX_ERRORS, "trouble": _trouble}


def _trouble(job: ImportJob) -> str:
    """Say why a job that should be at work is not; nothing where it is."""
    if not job.active:
        return ""
    now: datetime = db.session.execute(select(utc_now())).scalar_one()
    db.session.rollback()
    if job.state == WAITING and now - job.submitted_at > _TAKEN_WITHIN:
        return "No relay has taken it yet: each carries out one file at a time. Is “lockstep relay” running?"
    if job.claimed_until and job.claimed_until < now:
        return "The relay that was at it is gone. The next one goes on where it was."
    return ""
