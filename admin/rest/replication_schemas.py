"""Schemas of the replication's status, for REST and ``--json``."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields

from contract.messages import format_time
from contract.versions import epoch_of, version_of
from web.http.cursors import PageSchema


class Moment(fields.Field[datetime]):
    """RFC 3339 UTC."""

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kwargs: Any) -> str | None:
        return format_time(value) if value else None


class Version(fields.Integer):
    """The version in a sequence."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> int | None:
        return version_of(value) if value else None


class OldestSchema(ma.Schema):
    product_id = fields.Integer()
    version = fields.Integer()
    since = Moment()
    age = fields.Float(metadata={"description": "seconds"})
    state = fields.String()
    error = fields.String(allow_none=True)


class LagSchema(ma.Schema):
    p50 = fields.Float(allow_none=True, metadata={"description": "seconds"})
    p99 = fields.Float(allow_none=True, metadata={"description": "seconds"})
    changes = fields.Integer(metadata={"description": "that arrived in the last hour; at most the latest 10,000"})


class LastResultSchema(ma.Schema):
    product_id = fields.Integer()
    version = fields.Integer()
    verified_at = Moment()


class DriftExampleSchema(ma.Schema):
    product_id = fields.Integer()
    kind = fields.String(metadata={"description": "missing, stale, ahead, malformed, differing or orphaned"})
    first_seen_at = Moment()


class DriftSchema(ma.Schema):
    """Differences that no pending change explains, found by the scheduled comparison; confirmed when found twice."""

    confirmed = fields.Integer()
    suspected = fields.Integer()
    pass_finished_at = Moment(allow_none=True)
    examples = fields.List(fields.Nested(DriftExampleSchema))


class ClientStateSchema(ma.Schema):
    likes_pending = fields.Integer()
    likes_oldest_age = fields.Float(allow_none=True, metadata={"description": "seconds"})
    likes_parked = fields.Integer(metadata={"description": "refused by Admin"})
    dead_letters = fields.Integer(metadata={"description": "open dead letters"})
    images_wanted = fields.Integer(metadata={"description": "images to be copied from Admin"})
    worker_seen_at = Moment(allow_none=True, metadata={"description": "when a worker last ran a task of beat"})


class StatusSchema(ma.Schema):
    state = fields.String(metadata={"description": "in_sync, pending, stuck, drift, unknown or restored"})
    pending = fields.Integer()
    in_flight = fields.Integer()
    stuck = fields.Integer()
    oldest = fields.Nested(OldestSchema, allow_none=True)
    lag = fields.Nested(LagSchema)
    last_result = fields.Nested(LastResultSchema, allow_none=True)
    drift = fields.Nested(DriftSchema)
    queues = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True))
    client = fields.Nested(ClientStateSchema, allow_none=True)
    client_error = fields.String(allow_none=True)
    alarm = fields.String(allow_none=True, metadata={"description": "whose database was restored from a backup"})
    alarm_since = Moment(allow_none=True)
    now = Moment()


class ReplicaSchema(ma.Schema):
    version = Version(attribute="sequence")
    epoch = fields.Function(lambda replica: epoch_of(replica.sequence), metadata={"type": "integer"})
    checksum = fields.String()
    applied_at = Moment(allow_none=True)
    failure = fields.String(allow_none=True)


class VersionSchema(ma.Schema):
    """The history of one version. ``first_sent_at`` is null when only the eager publisher sent it. ``applied_at`` is
    null and ``verified_at`` set when a newer version replaced it.
    """

    version = Version(attribute="sequence")
    epoch = fields.Function(lambda change: epoch_of(change.sequence), metadata={"type": "integer"})
    kind = fields.String()
    author = fields.String()
    changed_at = Moment()
    first_sent_at = Moment(allow_none=True)
    attempts = fields.Integer()
    applied_at = Moment(allow_none=True)
    verified_at = Moment(allow_none=True)
    error = fields.String(allow_none=True)


class ProductStatusSchema(ma.Schema):
    id = fields.Integer(attribute="row.product_id")
    in_sync = fields.Boolean(allow_none=True, metadata={"description": "null when the Client does not answer"})
    state = fields.String(attribute="row.state")
    version = Version(attribute="row.sequence")
    epoch = fields.Function(lambda status: epoch_of(status.row.sequence), metadata={"type": "integer"})
    checksum = fields.String(attribute="row.checksum")
    verified_version = Version(attribute="row.verified_sequence", allow_none=True)
    pending_since = Moment(attribute="row.pending_since", allow_none=True)
    next_look_at = Moment(attribute="row.due_at", allow_none=True)
    attempts = fields.Integer(attribute="row.attempts")
    error = fields.String(attribute="row.last_error", allow_none=True)
    replica = fields.Nested(ReplicaSchema, allow_none=True)
    client_error = fields.String(allow_none=True)
    now = Moment()
    versions = fields.List(fields.Nested(VersionSchema))
    next_cursor = fields.String(allow_none=True)


class VersionsQuerySchema(PageSchema):
    """The page of versions to show."""
