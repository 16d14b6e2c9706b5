"""Dead letters over REST: viewers may list them, editors may resync and discard them."""

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
    DeadLetterListSchema,
    ListQuerySchema,
    OneDeadLetterSchema,
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
    @blp.response(200, DeadLetterListSchema)
    @blp.alt_response(503, description="The Client, which stores them, does not answer")
    def get(self, query: dict[str, Any]) -> Any:
        """List dead letters, newest first; follow the Link header to the next page."""
        page = dead_letters.list_dead_letters(**query)
        return page, next_link(page.next_cursor)


@blp.route("/<string(length=32):id_>")
class OneDeadLetter(MethodView):
    @api_for(VIEWER)
    @blp.doc(**bearer_doc())
    @blp.response(200, OneDeadLetterSchema)
    @blp.alt_response(404, description="No such dead letter")
    def get(self, id_: str) -> Any:
        """Show a dead letter with its payload."""
        return dead_letters.get_dead_letter(id_)


@blp.route("/<string(length=32):id_>/resync", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(202)
@blp.alt_response(409, description="It names no product that Admin knows")
def resync(id_: str) -> Any:
    """Resync a dead letter: its products become pending, and the relay sends their current state."""
    dead_letters.change(dead_letters.RESYNC, id_, author())
    return None, {"Location": url_for("dead_letters.OneDeadLetter", id_=id_)}


@blp.route("/<string(length=32):id_>/discard", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(409, description="It is already resynced")
def discard(id_: str) -> None:
    """Discard a dead letter. Its products stay as they are."""
    dead_letters.change(dead_letters.DISCARD, id_, author())


@blp.route("/resync", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.arguments(BulkSchema)
@blp.response(202, BulkResultSchema)
def resync_all(where: dict[str, Any]) -> Any:
    """Resync up to 500 dead letters that the filter selects and that name a product."""
    return dead_letters.change_all(dead_letters.RESYNC, where, author())


@blp.route("/discard", methods=["POST"])
@api_for(EDITOR)
@blp.doc(**bearer_doc())
@blp.arguments(BulkSchema)
@blp.response(200, BulkResultSchema)
def discard_all(where: dict[str, Any]) -> Any:
    """Discard up to 500 dead letters that the filter selects."""
    return dead_letters.change_all(dead_letters.DISCARD, where, author())


@blp.errorhandler(ClientUnavailableError)
def _client_unavailable(error: ClientUnavailableError) -> Response:
    log.warning("dead letters not available", reason=str(error))
    detail = "The Client stores the dead letters, and it does not answer. Nothing was changed. Try again in a moment."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
