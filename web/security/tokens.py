"""Bearer tokens of both services (Flask-JWT-Extended), with errors as problems.

Every token names a sign-in (``sid``) in the store of its service, and is void once that has ended. An access token is
short-lived. A refresh token is exchanged once for a new pair (the sign-in stores its ``jti``), and is then void.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import Flask, Response, current_app, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    decode_token,
    get_current_user,
    get_jti,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from contract.product_rules import half_character
from web.http.problems import ProblemError, problem
from web.security import passwords

LIFETIME = timedelta(minutes=15)
CLOCK_LEEWAY = timedelta(seconds=10)  # tolerated clock offset of the host that made a token or a cookie
_ENDED = "The sign-in has ended."
_LOAD, _DECODE = "token_account", "decode_token"  # in app.extensions
_REMEMBERED = 4_096  # tokens, of about 1 KB with their claims
REFRESH_LIFETIME = timedelta(days=14)  # of the sign-in; refreshing does not extend it


class WrongCredentialsError(ProblemError):
    """The e-mail address or the password is wrong; the message does not say which."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self) -> None:
        super().__init__("Wrong e-mail or password.", headers={"WWW-Authenticate": "Bearer"})


class NotSignedInError(ProblemError):
    """A token that does not let anyone in, for ``reason``."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, reason: str) -> None:
        detail = f"Sign in first and send the token as 'Authorization: Bearer …'. {reason}"
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


def _complete_characters(text: str) -> None:
    """Raise ValidationError for a text that cannot be stored or hashed."""
    if error := half_character(text):
        raise ma.ValidationError(error)


class CredentialsSchema(ma.Schema):
    email = ma.fields.Email(required=True, validate=[ma.validate.Length(max=254), _complete_characters])
    password = ma.fields.String(
        required=True,
        load_only=True,
        validate=[ma.validate.Length(passwords.MIN_LENGTH, passwords.MAX_LENGTH), _complete_characters],
    )


class TokenSchema(ma.Schema):
    access_token = ma.fields.String(dump_only=True)
    refresh_token = ma.fields.String(dump_only=True)
    token_type = ma.fields.String(dump_only=True)
    expires_in = ma.fields.Integer(dump_only=True, metadata={"description": "seconds"})


# Returns the account of a token by its claims; None where the sign-in has ended.
LoadAccount = Callable[[dict[str, Any]], Any]


def init_tokens(app: Flask, audience: str, load: LoadAccount) -> None:
    """Accept bearer tokens that this service issued for ``audience``, and refuse those of the other service."""
    app.config.update(
        JWT_SECRET_KEY=app.config["SECRET_KEY"],
        JWT_ACCESS_TOKEN_EXPIRES=LIFETIME,
        JWT_REFRESH_TOKEN_EXPIRES=REFRESH_LIFETIME,
        JWT_ENCODE_AUDIENCE=audience,
        JWT_DECODE_AUDIENCE=audience,
        JWT_DECODE_LEEWAY=CLOCK_LEEWAY,
    )
    jwt = JWTManager(app)
    jwt.unauthorized_loader(_refuse)
    jwt.invalid_token_loader(_refuse)
    jwt.expired_token_loader(lambda _header, _payload: _refuse("The token has expired; sign in again."))
    jwt.token_verification_loader(_well_formed)
    jwt.token_verification_failed_loader(lambda _header, _payload: _refuse("The token's claims are not valid."))
    jwt.user_lookup_loader(lambda _header, payload: load(payload))
    jwt.user_lookup_error_loader(lambda _header, _payload: _refuse(_ENDED))
    app.extensions[_LOAD] = load
    app.extensions[_DECODE] = lru_cache(_REMEMBERED)(decode_token)


def decoded(token: str) -> dict[str, Any]:
    """Return the claims of ``token``. The result of verifying its signature is cached, as that costs more than the rest
    of a request's authentication. Raises PyJWTError or JWTExtendedException where it is invalid or expired.
    """
    claims: dict[str, Any] = current_app.extensions[_DECODE](token)
    ends = claims.get("exp")
    if type(ends) is int and time.time() < ends:
        return claims
    return decode_token(token)  # expired since then: raises the reason, or returns within the leeway


def caller() -> Any:
    """Return the current account of the request's access token; raise an error without a valid token.

    The account is read from the store, so an ended sign-in or a changed role takes effect at once.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = decoded(token) if scheme == "Bearer" else {}
    except (PyJWTError, JWTExtendedException):
        claims = {}
    if claims.get("type") != "access" or not _well_formed({}, claims):
        verify_jwt_in_request()  # raises the reason
        return get_current_user()
    account = current_app.extensions[_LOAD](claims)
    if account is None:
        raise NotSignedInError(_ENDED)
    return account


@dataclass(frozen=True, slots=True)
class Pair:
    """New tokens of ``sign_in``: ``shown`` is for ``TokenSchema``, ``refresh_id`` is the refresh token's ``jti``."""

    sign_in: str
    refresh_id: str
    shown: dict[str, Any]


def issue(identity: str, sign_in: str) -> Pair:
    """Return tokens for the account ``identity``."""
    claims = {"sid": sign_in}
    access = create_access_token(identity=identity, additional_claims=claims)
    refresh = create_refresh_token(identity=identity, additional_claims=claims)
    shown = {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }
    return Pair(sign_in, str(get_jti(refresh)), shown)


def _well_formed(_header: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Return whether the claims used in queries are text, never an operator of the store, and the token expires."""
    texts = all(isinstance(payload.get(name), str) for name in ("sub", "sid", "jti"))
    return texts and type(payload.get("exp")) is int


def _refuse(reason: str) -> Response:
    error = NotSignedInError(reason)
    return problem(error.status, error.detail, headers=error.headers)
