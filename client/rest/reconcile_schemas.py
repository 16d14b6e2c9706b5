"""Requests of Admin's comparison and repair; each is bounded."""

from marshmallow import fields, validate

from contract.service_calls import MAX_ENTRIES, MAX_REPAIRS
from contract.versions import MAX_SEQUENCE
from web.http.api import ServiceSchema
from web.http.fields import Whole

_ANY_ID = validate.Range(-MAX_SEQUENCE - 1, MAX_SEQUENCE)


class DigestsQuerySchema(ServiceSchema):
    """Ids in (after, upto]."""

    after = Whole(required=True, validate=_ANY_ID)
    upto = Whole(required=True, validate=_ANY_ID)


class EntriesQuerySchema(ServiceSchema):
    ids = fields.List(Whole(validate=_ANY_ID), required=True, validate=validate.Length(max=MAX_ENTRIES))


class CopyQuerySchema(ServiceSchema):
    id = Whole(required=True, validate=_ANY_ID)


class SeenSchema(ServiceSchema):
    sequence = Whole(required=True, validate=_ANY_ID)
    checksum = fields.String(required=True, validate=validate.Length(max=32))


class RepairSchema(ServiceSchema):
    """``seen`` null: nothing is stored; ``state`` null: Admin never had the product."""

    id = Whole(required=True, validate=_ANY_ID)
    seen = fields.Nested(SeenSchema, required=True, allow_none=True)
    state = fields.Raw(required=True, allow_none=True)


class RepairsSchema(ServiceSchema):
    repairs = fields.List(fields.Nested(RepairSchema), required=True, validate=validate.Length(1, MAX_REPAIRS))
