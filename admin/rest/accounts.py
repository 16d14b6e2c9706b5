"""Signing in to the API."""

from typing import Any

from admin.accounts import service, tokens
from web.http.api import Blueprint, bearer_doc
from web.security.tokens import CredentialsSchema, TokenSchema

blp = Blueprint("auth", __name__, url_prefix="/api/v1/auth", description="Sign-in of staff")


@blp.route("/token", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(200, TokenSchema)
@blp.alt_response(401, description="Wrong e-mail or password")
def sign_in(credentials: dict[str, Any]) -> dict[str, Any]:
    """Exchange e-mail and password for an access token and a refresh token."""
    return tokens.issue(service.authenticate(**credentials))


@blp.route("/refresh", methods=["POST"])
@blp.doc(**bearer_doc())
@blp.response(200, TokenSchema)
@blp.alt_response(401, description="Not a refresh token that counts")
def refresh() -> dict[str, Any]:
    """Exchange the refresh token, sent as the bearer token, for new tokens; it counts once."""
    return tokens.refresh()


@blp.route("/revoke", methods=["POST"])
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(401, description="Not a token that counts")
def revoke() -> None:
    """Sign out: the token that is sent, and the others of its sign-in, count no more."""
    tokens.revoke()
