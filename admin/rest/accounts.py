"""REST: sign in, refresh and revoke tokens."""

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
@blp.alt_response(401, description="The refresh token is not valid")
def refresh() -> dict[str, Any]:
    """Exchange a refresh token, sent as the bearer token, for new tokens. It can be used once."""
    return tokens.refresh()


@blp.route("/revoke", methods=["POST"])
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(401, description="The token is not valid")
def revoke() -> None:
    """Sign out: revoke the token that is sent and the other token of its sign-in."""
    tokens.revoke()
