"""The console's blueprint, and the answers that keep its pages current."""

from flask import Blueprint, Response, jsonify, request

blp = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")


def live(regions: dict[str, str]) -> Response:
    """Return the current HTML of parts of a page, by element id; 304 while nothing has changed."""
    response = jsonify({"regions": regions})
    response.headers["Cache-Control"] = "no-store"
    response.add_etag()
    response.make_conditional(request)
    return response
