"""Schemas of import jobs."""

import marshmallow as ma
from flask_smorest.fields import Upload

from admin.imports.models import STATES
from contract.messages import format_time


class ImportUploadSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE  # a browser's form sends more fields

    file = Upload(required=True, metadata={"description": ".csv, or .ndjson with one object per line"})


class ImportJobSchema(ma.Schema):
    id = ma.fields.Integer()
    name = ma.fields.String()
    author = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(STATES[1:]))
    reason = ma.fields.String(allow_none=True, metadata={"description": "why the whole file could not be imported"})
    percent = ma.fields.Integer()
    rows = ma.fields.Integer(metadata={"description": "read so far"})
    created = ma.fields.Integer()
    updated = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    repeated = ma.fields.Integer(metadata={"description": "replaced by a later row with the same sku"})
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
    """``next_line`` is the ``after`` of the next page; null on the last page."""

    items = ma.fields.List(ma.fields.Nested(RowErrorSchema))
    next_line = ma.fields.Integer(allow_none=True)


class RowErrorQuerySchema(ma.Schema):
    after = ma.fields.Integer(load_default=0, validate=ma.validate.Range(0, 2**31 - 1))
    limit = ma.fields.Integer(load_default=100, validate=ma.validate.Range(1, 1000))
