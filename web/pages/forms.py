"""Forms of the pages: one POST view serves the form and a script that sends it (Accept: application/json)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from web.http.problems import ProblemError, flatten, wants_page


class InvalidFormError(ProblemError):
    """Fields of a form are invalid."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


def field(name: str) -> str:
    """Return the text of field ``name``, from the form or the JSON; empty where there is none."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""


def load(schema: ma.Schema, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the fields that ``schema`` loads from the request, or from ``given``.

    Raises InvalidFormError, which names each invalid field.
    """
    try:
        found: dict[str, Any] = schema.load(given or {name: field(name) for name in schema.fields})
    except ma.ValidationError as error:
        raise InvalidFormError("Some fields are invalid.", list(flatten(error.messages))) from None
    return found


def done(url: str, **shown: Any) -> ResponseReturnValue:
    """Answer a form that succeeded: redirect to ``url``. A script gets JSON, with a CSRF token for its next form."""
    if wants_page():
        return redirect(url, HTTPStatus.SEE_OTHER)
    return jsonify({"next": url, "csrf_token": generate_csrf(), **shown})


def refused(error: ProblemError, template: str, **context: Any) -> ResponseReturnValue:
    """Show the form again with ``error`` above it and ``errors`` by field. A script gets the problem."""
    if not wants_page():
        raise error
    errors = {item["field"]: item["detail"] for item in error.errors}
    return make_response(render_template(template, error=error.detail, errors=errors, **context), error.status)
