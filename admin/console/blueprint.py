"""Where the console's pages hang, and how a page keeps itself current."""

from flask import Blueprint, Response, jsonify, request

blp = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")


def live(regions: dict[str, str]) -> Response:
    """Return parts of a page as they are now, by the id of the element that each fills; 304 while nothing changed."""
    response = jsonify({"regions": regions})
    response.headers["Cache-Control"] = "no-store"
    response.add_etag()
    response.make_conditional(request)
    return response
