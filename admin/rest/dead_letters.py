"""Dead letters over REST: anyone signed in may look, editors may replay and discard."""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, url_for
from flask.views import MethodView

from admin.accounts.identity import author
from admin.accounts.models import EDITOR, VIEWER
from admin.accounts.tokens import api_for
from admin.monitoring import dead_letters
from admin.outbox.client_gateway import ClientUnavailableError
from admin.rest.dead_letter_schemas import (
    BulkResultSchema,
    BulkSchema,
    LetterListSchema,
    ListQuerySchema,
    OneLetterSchema,
)
from web.http.api import Blueprint, bearer_doc
from web.http.cursors import next_link
from web.http.problems import problem

log = structlog.get_logger(__name__)

blp = Blueprint(
    "dead_letters", __name__, url_prefix="/api/v1/dead-letters", description="Messages that no worker could process"
)


@blp.route("")
class DeadLetters(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.arguments(ListQuerySchema, location="query")
    @blp.response(200, LetterListSchema)
    @blp.alt_response(503, description="The Client, which keeps them, does not answer")
    def get(self, query: dict[str, Any]) -> Any:
        """List dead letters, newest first; follow the Link header to the next page."""
        page = dead_letters.list_letters(**query)
        return page, next_link(page.next_cursor)


@blp.route("/<string(length=32):letter_id>")
class OneDeadLetter(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.response(200, OneLetterSchema)
    @blp.alt_response(404, description="No such dead letter")
    def get(self, letter_id: str) -> Any:
        """Show one with its payload."""
        return dead_letters.get_letter(letter_id)


@blp.route("/<string(length=32):letter_id>/replay", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(202)
@blp.alt_response(409, description="It names no product")
def replay(letter_id: str) -> Any:
    """Have its products fetched anew and applied; done when its state is ``replayed``."""
    dead_letters.settle(dead_letters.REPLAY, letter_id, author())
    return None, {"Location": url_for("dead_letters.OneDeadLetter", letter_id=letter_id)}


@blp.route("/<string(length=32):letter_id>/discard", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(409, description="It was replayed already")
def discard(letter_id: str) -> None:
    """Put one aside for good; its products are left as they are."""
    dead_letters.settle(dead_letters.DISCARD, letter_id, author())


@blp.route("/replay", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.arguments(BulkSchema)
@blp.response(202, BulkResultSchema)
def replay_all(where: dict[str, Any]) -> Any:
    """Replay those that the filter names, 500 at once."""
    return dead_letters.settle_all(dead_letters.REPLAY, where, author())


@blp.route("/discard", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.arguments(BulkSchema)
@blp.response(200, BulkResultSchema)
def discard_all(where: dict[str, Any]) -> Any:
    """Discard those that the filter names, 500 at once."""
    return dead_letters.settle_all(dead_letters.DISCARD, where, author())


@blp.errorhandler(ClientUnavailableError)
def _client_unavailable(error: ClientUnavailableError) -> Response:
    log.warning("dead letters cannot be seen", reason=str(error))
    detail = "The Client keeps the dead letters, and it cannot be asked now. Try again in a moment."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
