"""Complete the OpenAPI documents with what is common to all operations.

Views declare their input and output; this module adds the errors, headers and security that follow.
"""

from http import HTTPStatus
from typing import Any

from web.http.cursors import LINK_DOC
from web.http.problems import PROBLEM_TYPE

SERVICE = "/service/"
BEARER, SIGNATURE = "bearer", "signature"
SECURITY_SCHEMES = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "HTTP Message Signature (RFC 9421) by the other service: HMAC-SHA-256 over @method, @path, "
        "@query and content-digest, with created, expires, keyid and a tag with the name of the called service.",
    },
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The ETag that was read, several of them, or * for any version. Without it the answer is 428; where "
    "none matches the product, 412. Weak ETags (W/) never match (RFC 9110, 13.1.1).",
    "schema": {"type": "string", "pattern": r'^("[0-9]{1,18}"(, *"[0-9]{1,18}")*|\*)$'},
    "example": '"3"',
}
KEY_PATTERN = "[!-~]{1,100}"
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "A text of your choice that identifies this request for 24 hours. Sent again with the same body, it "
    "gets the first answer again (Idempotent-Replayed: true). 409 while the first is in progress, 422 with another "
    "body.",
    "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$"},
    "example": "4f1f0f4e-2f5c-4b39-8f0c-6b1e8a6c0c5b",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The caller's id, where it has 1 to 64 letters, digits, '.', '_' or '-'; else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "ETag": {"description": "The product's version.", "schema": {"type": "string"}, "example": '"3"'},
    "Location": {"description": "The URL of the result.", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": LINK_DOC,
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "Allow": {"description": "The allowed methods.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
}
_ERROR_HEADERS = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}
_BODY_ERRORS = ("400", "413", "415", "422")
_EVERYWHERE = ("406", "429", "500", "503")


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add the errors, headers and security of every operation to ``document``, in place, and return it."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = SECURITY_SCHEMES
    components["headers"] = _HEADERS
    components["responses"] = {str(int(status)): _problem(status) for status in HTTPStatus if status >= 400}
    _as_json_schema(document)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                _complete(operation, path, method, item.get("parameters", []))
    return document


def _complete(operation: dict[str, Any], path: str, method: str, in_path: list[Any]) -> None:
    if path.startswith(SERVICE):
        operation["security"] = [{SIGNATURE: []}]
        operation["tags"] = ["service"]
    operation.setdefault("security", [])
    operation["operationId"] = f"{method}{path}".translate(str.maketrans("/-{}", "____"))
    if beside := operation.pop("x-parameters", []):
        operation["parameters"] = operation.get("parameters", []) + beside
    responses = operation["responses"]
    if method == "patch" and "requestBody" in operation:
        content = operation["requestBody"]["content"]
        content["application/json"]["schema"]["minProperties"] = 1
        content["application/merge-patch+json"] = content["application/json"]
    for status in _errors(operation, method, in_path):
        responses.setdefault(status, {})
    for status, response in list(responses.items()):
        responses[status] = _response(str(status), response)
    names = operation.pop("x-headers", []) + (["Link"] if _takes(operation, "cursor") else [])
    for response in (found for status, found in responses.items() if str(status).startswith("2")):
        response["headers"] |= {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _errors(operation: dict[str, Any], method: str, in_path: list[Any]) -> set[str]:
    found = set(_EVERYWHERE)
    if operation["security"]:
        found |= {"401"}
        if operation["security"] != [{SIGNATURE: []}] and method != "get":
            found |= {"403"}
    if in_path:
        found |= {"404"}
    if "requestBody" in operation:
        found |= set(_BODY_ERRORS)
    if _takes(operation, "cursor"):
        found |= {"400"}
    if _takes(operation, "If-Match"):
        found |= {"412", "428"}
    return found


def _takes(operation: dict[str, Any], name: str) -> bool:
    return any(parameter.get("name") == name for parameter in operation.get("parameters", []))


def _response(status: str, response: Any) -> dict[str, Any]:
    """Return a response with its headers; an error without a description of its own is the standard problem."""
    if status < "400":
        headers = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
        return {**response, "headers": {**response.get("headers", {}), **headers}}
    if not isinstance(response, dict) or "$ref" in response or not response.get("description"):
        return {"$ref": f"#/components/responses/{status}"}
    return {**_problem(HTTPStatus(int(status))), **response}


def _problem(status: HTTPStatus) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": "What happened, and what to do.",
        "request_id": "0af7651916cd43dd8448eb211c80319c",
        "errors": [],
    }
    names = ("X-Request-ID", *_ERROR_HEADERS.get(str(int(status)), ()))
    return {
        "description": status.phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _as_json_schema(node: Any) -> None:
    """Convert Python's conventions to JSON Schema: anchor patterns at the start, and remove null defaults."""
    if isinstance(node, dict):
        if "default" in node and node["default"] is None:
            del node["default"]
        if isinstance(pattern := node.get("pattern"), str) and not pattern.startswith("^"):
            node["pattern"] = f"^{pattern}".replace(r"\Z", "$")
        for value in node.values():
            _as_json_schema(value)
    elif isinstance(node, list):
        for value in node:
            _as_json_schema(value)
