"""The REST APIs of both services: flask-smorest with strict input and problem+json."""

from codecs import BOM_UTF8
from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from http import HTTPStatus
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Flask, Response, current_app, jsonify, render_template, request
from flask_smorest.error_handler import ErrorSchema
from webargs.core import parse_json
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter

from web.http.openapi import BEARER, IF_MATCH, complete
from web.http.problems import FOR_PROGRAMS, PROBLEM_TYPE, ProblemError, from_http_exception
from web.http.uploads import body_limit, check_upload

MAX_BODY_BYTES = 1024 * 1024
JSON = "application/json"
MADE = (JSON, PROBLEM_TYPE, "image/webp", "text/csv", "text/html")  # content types of the answers below FOR_PROGRAMS
MERGE_PATCH = "application/merge-patch+json"


class FieldProblemSchema(ma.Schema):
    field = ma.fields.String(required=True)
    detail = ma.fields.String(required=True)


class ProblemSchema(ErrorSchema):
    """RFC 9457 problem details."""

    class Meta:
        fields = ("type", "title", "status", "detail", "request_id", "errors")

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    detail = ma.fields.String()
    request_id = ma.fields.String()
    errors = ma.fields.List(ma.fields.Nested(FieldProblemSchema))


class ServiceSchema(ma.Schema):
    """A request of the other service. Unknown fields, which a newer version may send, are ignored.

    Not for filters of an action: ignoring one would extend the action to more items.
    """

    class Meta:
        unknown = ma.EXCLUDE


class StrictParser(FlaskParser):
    """Refuses unknown query parameters, as it does unknown JSON keys, and JSON that the parser cannot read: nested too
    deeply, or with a number of thousands of digits.
    """

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": ma.RAISE,
    }

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        if not req.get_data().removeprefix(BOM_UTF8) and not any(field.required for field in schema.fields.values()):
            # webargs reads it as an empty object: without any filter
            raise NotJsonError("Send a JSON object as the body.", [_EMPTY])
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError):
            raise NotJsonError("The body is not readable JSON.", [_NOT_JSON]) from None

    def _raw_load_json(self, req: Any) -> Any:
        """Skip a byte-order mark before the JSON, which some programs write (RFC 8259, 8.1 allows this)."""
        if req.is_json and req.get_data().startswith(BOM_UTF8):
            return parse_json(req.get_data(), encoding="utf-8-sig")
        return super()._raw_load_json(req)


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Any:
        """Parse arguments with one instance of ``schema``. webargs would make one for each request, which takes longer
        than to load it.
        """
        return super().arguments(schema(), **options)


class Api(flask_smorest.Api):
    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None  # web.http.openapi lists each error

    def handle_http_exception(self, error: HTTPException) -> Response:
        return from_http_exception(error)

    def _openapi_json(self) -> Response:
        return jsonify(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return complete(deepcopy(self.spec.to_dict()))


class NotJsonError(ProblemError):
    status = HTTPStatus.BAD_REQUEST


_EMPTY = {"field": "body", "detail": "is empty"}
_NOT_JSON = {"field": "body", "detail": "is nested too deeply or has a number with too many digits"}


class NotAcceptableError(ProblemError):
    status = HTTPStatus.NOT_ACCEPTABLE


class UnsupportedMediaTypeError(ProblemError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class _IdConverter(IntegerConverter):
    """``<int:…>`` in a path: an id that both databases can store. A larger number is answered with 404."""

    regex = r"[0-9]{1,18}"


def init_api(app: Flask, title: str) -> Api:
    """Set up body limits, JSON-only input and the OpenAPI document at ``/api/openapi.json``."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    app.url_map.converters["int"] = _IdConverter
    app.before_request(_check_accept)
    app.before_request(_check_body)
    app.add_url_rule("/api/docs", "api_docs", lambda: render_template("api_docs.html", title=title))
    return Api(app)


def _check_accept() -> None:
    """Refuse a request with 406 where its Accept header excludes every type that the API sends."""
    accepted = request.accept_mimetypes
    if request.routing_exception:  # 404 and 405 come first
        return
    if accepted.provided and request.path.startswith(FOR_PROGRAMS) and not accepted.best_match(MADE):
        raise NotAcceptableError("The answer is application/json, which the Accept header excludes.")


def _check_body() -> None:
    """Refuse a body of another type with 415 (webargs would read it as an empty one), a large one with 413."""
    if request.routing_exception or check_upload():
        return
    chunked = "Transfer-Encoding" in request.headers
    length = request.content_length or 0
    if not request.path.startswith(FOR_PROGRAMS) or not (length or chunked):
        return
    if request.mimetype != JSON and (request.method, request.mimetype) != ("PATCH", MERGE_PATCH):
        accepted = {"Accept-Patch": f"{MERGE_PATCH}, {JSON}"} if request.method == "PATCH" else {}
        raise UnsupportedMediaTypeError("Send the body as application/json.", headers=accepted)
    limit = body_limit(current_app, request.endpoint)
    request.max_content_length = limit + 1  # werkzeug silently cuts a chunked body off at its limit
    if chunked:
        length = len(request.get_data())
    if length > limit:
        raise BodyTooLargeError(f"The body is too large. The limit is {limit} bytes.")


class BodyTooLargeError(ProblemError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def bearer_doc(*headers: str, beside: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """Return the ``@blp.doc`` of a view that needs a token; ``headers`` are those of its successful answer.

    ``beside`` are parameters beside those of its schemas, which ``parameters`` would replace.
    """
    return {"security": [{BEARER: []}], "x-headers": list(headers), "x-parameters": list(beside), **more}


def if_match_doc() -> dict[str, Any]:
    """Return the ``@blp.doc`` of a change: it needs a token and If-Match, and answers with the new ETag."""
    return bearer_doc("ETag", parameters=[IF_MATCH])
