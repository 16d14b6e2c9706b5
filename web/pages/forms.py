"""Forms of the pages: one POST serves the form and a script that sends it in place (Accept: application/json)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from web.http.problems import ProblemError, flatten, wants_page


class NotAcceptableError(ProblemError):
    """Fields of a form that cannot be taken as they are."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


def field(name: str) -> str:
    """Return what was sent as ``name``, in a form or as JSON; empty when nothing usable was."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""


def load(schema: ma.Schema, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the fields of ``schema`` as it loads what was sent, or ``given``.

    Raises NotAcceptableError, which names each that is wrong.
    """
    try:
        found: dict[str, Any] = schema.load(given or {name: field(name) for name in schema.fields})
    except ma.ValidationError as error:
        raise NotAcceptableError("Some fields need another look.", list(flatten(error.messages))) from None
    return found


def done(url: str, **shown: Any) -> ResponseReturnValue:
    """Answer a form that went well: go on to ``url``. A script gets JSON, with a CSRF token for what comes next."""
    if wants_page():
        return redirect(url, HTTPStatus.SEE_OTHER)
    return jsonify({"next": url, "csrf_token": generate_csrf(), **shown})


def refused(error: ProblemError, template: str, **context: Any) -> ResponseReturnValue:
    """Show the form again with what is wrong: ``error`` above it, ``errors`` by field. A script gets the problem."""
    if not wants_page():
        raise error
    errors = {item["field"]: item["detail"] for item in error.errors}
    return make_response(render_template(template, error=error.detail, errors=errors, **context), error.status)
