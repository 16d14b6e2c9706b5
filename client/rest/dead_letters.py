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
from contract import names
from contract.background import Background
from contract.messages import format_time
from contract.publisher import Publisher
from contract.service_calls import DEAD_LETTERS
from contract.versions import MAX_SEQUENCE
from runtime.clocks import expiry
from web.http.api import Blueprint, ServiceSchema
from web.http.fields import Whole
from web.security.signatures import service_only

MAX_AT_ONCE = 500  # letters settled per call
COUNTED = 1_000  # letters of one state; beyond it the exact number helps nobody
_EXPIRES = 60  # seconds; the sweep says the same again

blp = Blueprint("dead_letters", __name__, url_prefix=DEAD_LETTERS, description="For Admin only")


class WhereSchema(ma.Schema):
    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATES))
    reason = fields.String(load_default="", validate=validate.Length(max=100))
    product = Whole(load_default=None, allow_none=True, validate=validate.Range(1, MAX_SEQUENCE))

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


class SettleSchema(OneSchema):
    by = fields.String(required=True, validate=validate.Length(1, 254))


class SettledWhereSchema(WhereSchema):
    state = fields.String(required=True, validate=validate.OneOf(STATES))


class SettleAllSchema(ma.Schema):
    """What narrows it down is named: a filter that got lost must not mean every letter."""

    where = fields.Nested(SettledWhereSchema, required=True)
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
    letters = _letters(asked["id"])
    return {"letter": queries.show(letters[0]) if letters else None}


@blp.route("/replay", methods=["POST"])
@service_only
@blp.arguments(SettleSchema)
@blp.response(200)
def replay(asked: dict[str, Any]) -> Any:
    """Let a worker replay one letter; answers with what came of it."""
    return _replay(_letters(asked["id"]), asked["by"])


@blp.route("/replay-all", methods=["POST"])
@service_only
@blp.arguments(SettleAllSchema)
@blp.response(200)
def replay_all(asked: dict[str, Any]) -> Any:
    """Let a worker replay the letters that ``where`` names, MAX_AT_ONCE at most; answers with what came of each."""
    # Only what can be replayed, or the others would stand in the way of what comes behind them.
    return _replay(queries.find(replaced(asked["where"], named=True), MAX_AT_ONCE), asked["by"])


@blp.route("/discard", methods=["POST"])
@service_only
@blp.arguments(SettleSchema)
@blp.response(200)
def discard(asked: dict[str, Any]) -> Any:
    """Discard one letter; answers with what came of it."""
    return {"outcomes": _settle(_letters(asked["id"]), asked["by"], service.discard, service.AlreadyReplayedError)}


@blp.route("/discard-all", methods=["POST"])
@service_only
@blp.arguments(SettleAllSchema)
@blp.response(200)
def discard_all(asked: dict[str, Any]) -> Any:
    """Discard the letters that ``where`` names, MAX_AT_ONCE at most; answers with what came of each."""
    found = queries.find(asked["where"], MAX_AT_ONCE)
    return {"outcomes": _settle(found, asked["by"], service.discard, service.AlreadyReplayedError)}


def init_dead_letters(app: Flask) -> None:
    """Give this web process its background sender of replays."""
    publisher = Publisher()

    def send(ids: list[str]) -> None:
        for letter_id in ids:
            publisher.publish(names.REPLAY_DEAD_LETTER, [letter_id], names.QUEUE_MAINTENANCE, expires=expiry(_EXPIRES))

    app.extensions["dead_letter_replays"] = Background("dead-letter replays", send, batch=100)


def _replay(letters: list[dict[str, Any]], by: str) -> dict[str, Any]:
    outcomes = _settle(letters, by, service.request_replay, service.NotReplayableError)
    accepted = [outcome["id"] for outcome in outcomes if not outcome["refused"]]
    current_app.extensions["dead_letter_replays"].offer(accepted)
    return {"outcomes": outcomes}


def _settle(
    letters: list[dict[str, Any]], by: str, settle: Callable[[dict[str, Any], str], None], refusal: type[Exception]
) -> list[dict[str, str]]:
    outcomes = []
    for letter in letters:
        refused = ""
        try:
            settle(letter, by)
        except refusal as error:
            refused = str(error)
        outcomes.append({"id": letter["_id"], "refused": refused})
    return outcomes


def _letters(letter_id: str) -> list[dict[str, Any]]:
    """Return the letter with this id, none where there is none; whole ids only, a program knows them."""
    try:
        letter = queries.get(letter_id)
    except queries.NoSuchLetterError:
        return []
    return [letter] if letter["_id"] == letter_id else []
