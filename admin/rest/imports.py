"""REST: upload a catalogue file, follow its import, read its errors, cancel it."""

from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.tokens import api_for
from admin.imports import service
from admin.imports.errors_csv import errors_csv
from admin.rest.import_schemas import (
    ImportJobListSchema,
    ImportJobSchema,
    ImportUploadSchema,
    RowErrorListSchema,
    RowErrorQuerySchema,
)
from web.http.api import Blueprint, bearer_doc
from web.http.uploads import accepts_upload

blp = Blueprint("imports", __name__, url_prefix="/api/v1/imports", description="Importing catalogue files")

_LATEST = 50


@blp.route("")
@accepts_upload(service.MAX_MEBIBYTES)
class Imports(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.response(200, ImportJobListSchema)
    def get(self) -> Any:
        """List the latest imports."""
        return {"items": service.list_jobs(_LATEST)}

    @api_for(EDITOR)
    @blp.doc(**bearer_doc())
    @blp.arguments(ImportUploadSchema, location="files")
    @blp.response(202, ImportJobSchema)
    def post(self, files: dict[str, Any]) -> Any:
        """Import a file in the background. Uploading it again while it runs returns the same import."""
        job = service.submit(files["file"].stream, files["file"].filename or "", author())
        return job, {"Location": url_for("imports.OneImport", job_id=job.id)}


@blp.route("/<int:job_id>")
class OneImport(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.response(200, ImportJobSchema)
    @blp.alt_response(404, description="No such import")
    def get(self, job_id: int) -> Any:
        """Return the state and progress of an import."""
        return service.get_job(job_id)


@blp.route("/<int:job_id>/cancel", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(200, ImportJobSchema)
@blp.alt_response(404, description="No such import")
def cancel_import(job_id: int) -> Any:
    """Cancel an import. Imported rows are kept; a finished import does not change."""
    return service.cancel(job_id)


@blp.route("/<int:job_id>/errors")
@api_for(VIEWER)
@blp.doc(**bearer_doc())
@blp.arguments(RowErrorQuerySchema, location="query")
@blp.response(200, RowErrorListSchema)
@blp.alt_response(404, description="No such import")
def list_errors(query: dict[str, Any], job_id: int) -> Any:
    """List the skipped rows with their lines and reasons; the first 10,000 are stored."""
    service.get_job(job_id)
    errors = service.list_errors(job_id, **query)
    return {"items": errors, "next_line": errors[-1].line if len(errors) == query["limit"] else None}


@blp.route("/<int:job_id>/errors.csv")
@api_for(VIEWER)
@blp.doc(**bearer_doc(), responses={"200": {"description": "The errors as CSV", "content": {"text/csv": {}}}})
@blp.alt_response(404, description="No such import")
def download_errors(job_id: int) -> Response:
    """Download the skipped rows as CSV."""
    return errors_csv(job_id)
