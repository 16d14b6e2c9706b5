"""What an import job looks like from outside."""

import marshmallow as ma
from flask_smorest.fields import Upload

from admin.imports.models import STATES
from contract.messages import format_time


class ImportUploadSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE  # a browser's form brings more than the file

    file = Upload(required=True, metadata={"description": "called .csv, or .ndjson with one object per line"})


class ImportJobSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    author = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(STATES[1:]))
    reason = ma.fields.String(allow_none=True, metadata={"description": "why the whole file could not be imported"})
    percent = ma.fields.Integer()
    rows = ma.fields.Integer(metadata={"description": "taken so far"})
    created = ma.fields.Integer()
    updated = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    repeated = ma.fields.Integer(metadata={"description": "gave way to a later row of the same sku"})
    failed = ma.fields.Integer(metadata={"description": "skipped; see errors"})
    rows_per_second = ma.fields.Float(attribute="rate", allow_none=True)
    submitted_at = ma.fields.Function(lambda job: format_time(job.submitted_at), metadata={"format": "date-time"})
    updated_at = ma.fields.Function(lambda job: format_time(job.updated_at), metadata={"format": "date-time"})


class ImportJobListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ImportJobSchema))


class RowErrorSchema(ma.Schema):
    line = ma.fields.Integer()
    reason = ma.fields.String()


class RowErrorListSchema(ma.Schema):
    """``next_line``: go on with ``after`` set to it; null at the end."""

    items = ma.fields.List(ma.fields.Nested(RowErrorSchema))
    next_line = ma.fields.Integer(allow_none=True)


class RowErrorQuerySchema(ma.Schema):
    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 2**31 - 1))
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, 1000))
