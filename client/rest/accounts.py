"""Shoppers' accounts over REST: sign up, sign in, sign out, erase."""

from typing import Any

from client.accounts import service, tokens
from client.accounts.tokens import me, signed_in_only
from client.likes.announcer import announcer
from web.http.api import Blueprint, bearer_doc
from web.security.tokens import CredentialsSchema, TokenSchema

blp = Blueprint("auth", __name__, url_prefix="/api/v1", description="Shoppers' accounts")


@blp.route("/shoppers", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(201, TokenSchema)
@blp.alt_response(409, description="The e-mail is taken")
def sign_up(credentials: dict[str, Any]) -> dict[str, Any]:
    """Sign up; the answer has tokens, as for a sign-in."""
    return tokens.issue(service.sign_up(**credentials))


@blp.route("/auth/token", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(200, TokenSchema)
@blp.alt_response(401, description="Wrong e-mail or password")
def sign_in(credentials: dict[str, Any]) -> dict[str, Any]:
    """Exchange e-mail and password for an access token and a refresh token."""
    return tokens.issue(service.authenticate(**credentials))


@blp.route("/auth/refresh", methods=["POST"])
@blp.doc(**bearer_doc())
@blp.response(200, TokenSchema)
@blp.alt_response(401, description="Not a valid refresh token")
def refresh() -> dict[str, Any]:
    """Exchange the refresh token, sent as the bearer token, for new tokens; it is valid once."""
    return tokens.refresh()


@blp.route("/auth/revoke", methods=["POST"])
@blp.doc(**bearer_doc())
@blp.response(204)
@blp.alt_response(401, description="Not a valid token")
def revoke() -> None:
    """Sign out: the token that is sent, and the others of its sign-in, become invalid."""
    tokens.revoke()


class PasswordSchema(CredentialsSchema):
    class Meta:
        exclude = ("email",)


@blp.route("/account", methods=["DELETE"])
@signed_in_only
@blp.doc(**bearer_doc())
@blp.arguments(PasswordSchema)
@blp.response(204)
@blp.alt_response(403, description="Wrong password")
def close_account(body: dict[str, Any]) -> None:
    """Erase my account and take every like back, here and at Admin. Needs the password."""
    service.close_account(me().id, body["password"])
    announcer().offer(0)
