"""L5's door: the Client's signed batches of likes."""

from typing import Any

import marshmallow as ma
from flask.views import MethodView

from admin.likes import service
from tasks.messages import InvalidMessageError, LikeChanged
from web.api import Blueprint
from web.signatures import service_only

blp = Blueprint("likes", __name__, url_prefix="/service/v1/likes", description="For the Client service only")


class LikeBatchSchema(ma.Schema):
    """Items are checked one by one, so that a bad one never fails its neighbours."""

    likes = ma.fields.List(
        ma.fields.Raw(allow_none=True), required=True, validate=ma.validate.Length(min=1, max=service.MAX_BATCH)
    )


class OutcomeSchema(ma.Schema):
    outcome = ma.fields.String()
    rev = ma.fields.Integer()
    liked = ma.fields.Boolean()
    reason = ma.fields.String()


class OutcomesSchema(ma.Schema):
    outcomes = ma.fields.List(ma.fields.Nested(OutcomeSchema))


@blp.route("")
class Likes(MethodView):
    decorators = [service_only]

    @blp.arguments(LikeBatchSchema)
    @blp.response(200, OutcomesSchema)
    def post(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take a batch of likes; answers with an outcome for each, in their order."""
        decoded = [_decode(raw) for raw in batch["likes"]]
        valid = [like for like in decoded if isinstance(like, LikeChanged)]
        outcomes = iter(service.take(valid) if valid else [])
        return {"outcomes": [_show(next(outcomes)) if isinstance(d, LikeChanged) else _refuse(d) for d in decoded]}


def _decode(raw: Any) -> LikeChanged | str:
    try:
        return LikeChanged.decode(raw)
    except InvalidMessageError as error:
        return error.reason


def _show(outcome: service.Outcome) -> dict[str, Any]:
    return {"outcome": outcome.outcome, "rev": outcome.rev, "liked": outcome.liked, "reason": ""}


def _refuse(reason: str) -> dict[str, Any]:
    return {"outcome": service.INVALID, "rev": 0, "liked": False, "reason": reason}
