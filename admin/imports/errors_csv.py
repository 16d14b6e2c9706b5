"""The rows that an import skipped, as a CSV file."""

import csv
import io
from collections.abc import Iterator

from flask import Response, stream_with_context

from admin.catalogue.csv_cells import safe
from admin.imports import service

_CHUNK = 1_000


def errors_csv(job_id: int) -> Response:
    """Return the line and reason of each skipped row. Raises JobNotFoundError."""
    job = service.get_job(job_id)
    response = Response(stream_with_context(_lines(job.id)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{job.id}-errors.csv"'
    return response


def _lines(job_id: int) -> Iterator[str]:
    yield _line("line", "reason")
    after = 0
    while errors := service.list_errors(job_id, _CHUNK, after):
        for error in errors:
            yield _line(error.line, safe(error.reason))
        after = errors[-1].line


def _line(*values: object) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(values)
    return out.getvalue()
