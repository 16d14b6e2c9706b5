"""Admin's signed door to the dead letters: staff see and settle them there."""

from collections.abc import Callable
from dataclasses import replace as replaced
from typing import Any

import marshmallow as ma
from flask import Flask, current_app
from marshmallow import fields, validate

from client.dead_letters import queries, service
from client.dead_letters.collect import collected_at
from client.dead_letters.documents import STATES
from client.dead_letters.queries import Filter
from tasks import names
from tasks.background import Background
from tasks.messages import format_time
from tasks.publisher import Publisher
from tasks.versions import MAX_VER
from web.api import Blueprint, ServiceSchema
from web.fields import Whole
from web.signatures import service_only

MAX_AT_ONCE = 500  # letters settled per call
COUNTED = 1_000  # letters of one state; beyond it the exact number helps nobody
_EXPIRES = 60  # seconds; the sweep says the same again

blp = Blueprint("dead_letters", __name__, url_prefix="/service/v1/dead-letters", description="For Admin only")


class WhereSchema(ma.Schema):
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATES))
    reason = fields.String(load_default="", validate=validate.Length(max=100))
    product = Whole(load_default=None, allow_none=True, validate=validate.Range(1, MAX_VER))

    @ma.post_load
    def _filter(self, data: dict[str, Any], **_: Any) -> Filter:
        return Filter(**data)


class QuerySchema(ServiceSchema):
    where = fields.Nested(WhereSchema, load_default=Filter)
    limit = Whole(required=True, validate=validate.Range(1, 101))
    after = fields.Tuple(
        (fields.AwareDateTime(), fields.String()),
        load_default=None,
        allow_none=True,
        metadata={
            "prefixItems": [{"type": "string", "format": "date-time"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
    )


class OneSchema(ServiceSchema):
    id = fields.String(required=True, validate=validate.Length(max=64))


class SettleSchema(ma.Schema):
    """``id`` names one letter; without it, those that ``where`` names, MAX_AT_ONCE at most."""

    id = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=64))
    where = fields.Nested(WhereSchema, load_default=Filter)
    by = fields.String(required=True, validate=validate.Length(1, 254))


@blp.route("/query", methods=["POST"])
@service_only
@blp.arguments(QuerySchema)
@blp.response(200)
def query(asked: dict[str, Any]) -> Any:
    """List letters, newest first; say how many are in each state, and when the queue was last looked into."""
    looked = collected_at()
    letters = [queries.show(letter) for letter in queries.find(asked["where"], asked["limit"], asked["after"])]
    counts = queries.counts(COUNTED)
    return {"letters": letters, "counts": counts, "collected_at": format_time(looked) if looked else None}


@blp.route("/show", methods=["POST"])
@service_only
@blp.arguments(OneSchema)
@blp.response(200)
def show(asked: dict[str, Any]) -> Any:
    """Show one letter with its payload; null when there is none."""
    letters = _letters(asked["id"], Filter())
    return {"letter": queries.show(letters[0]) if letters else None}


@blp.route("/replay", methods=["POST"])
@service_only
@blp.arguments(SettleSchema)
@blp.response(200)
def replay(asked: dict[str, Any]) -> Any:
    """Let a worker replay letters; answers with what came of each request."""
    # Many at once: only what can be replayed, or the others would stand in the way of what comes behind them.
    asked["where"] = replaced(asked["where"], named=True)
    outcomes = _settle(asked, service.request_replay, service.NotReplayableError)
    accepted = [outcome["id"] for outcome in outcomes if not outcome["refused"]]
    current_app.extensions["dead_letter_replays"].offer(accepted)
    return {"outcomes": outcomes}


@blp.route("/discard", methods=["POST"])
@service_only
@blp.arguments(SettleSchema)
@blp.response(200)
def discard(asked: dict[str, Any]) -> Any:
    """Discard letters; answers with what came of each."""
    return {"outcomes": _settle(asked, service.discard, service.AlreadyReplayedError)}


def init_dead_letters(app: Flask) -> None:
    """Give this web process its background sender of replays."""
    publisher = Publisher()

    def send(ids: list[str]) -> None:
        for letter_id in ids:
            publisher.publish(names.REPLAY_DEAD_LETTER, [letter_id], names.QUEUE_UPKEEP, expires=_EXPIRES)

    app.extensions["dead_letter_replays"] = Background("dead-letter replays", send, batch=100)


def _settle(
    asked: dict[str, Any], settle: Callable[[dict[str, Any], str], None], refusal: type[Exception]
) -> list[dict[str, str]]:
    outcomes = []
    for letter in _letters(asked["id"], asked["where"]):
        refused = ""
        try:
            settle(letter, asked["by"])
        except refusal as error:
            refused = str(error)
        outcomes.append({"id": letter["_id"], "refused": refused})
    return outcomes


def _letters(letter_id: str | None, where: Filter) -> list[dict[str, Any]]:
    """Return the one letter with this id, or those that ``where`` names; whole ids only, a program knows them."""
    if letter_id is None:
        return queries.find(where, MAX_AT_ONCE)
    try:
        letter = queries.get(letter_id)
    except queries.NoSuchLetterError:
        return []
    return [letter] if letter["_id"] == letter_id else []
