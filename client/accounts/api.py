"""Signing up and signing in."""

from typing import Any

from client.accounts import service
from web import tokens
from web.api import Blueprint
from web.tokens import CredentialsSchema, TokenSchema

blp = Blueprint("auth", __name__, url_prefix="/api/v1", description="Shoppers' accounts")


@blp.route("/shoppers", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(201, TokenSchema)
@blp.alt_response(409, description="The e-mail is taken")
def sign_up(credentials: dict[str, Any]) -> dict[str, Any]:
    """Sign up; answers with a bearer token."""
    return tokens.issue(service.sign_up(**credentials).id)


@blp.route("/auth/token", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(200, TokenSchema)
@blp.alt_response(401, description="Wrong e-mail or password")
def sign_in(credentials: dict[str, Any]) -> dict[str, Any]:
    """Exchange e-mail and password for a bearer token."""
    return service.sign_in(**credentials)
