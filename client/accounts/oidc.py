"""Optional sign-in by an OpenID Connect issuer: authorization code with PKCE, state and nonce (Authlib).

An account is identified by issuer and subject, never by the e-mail: an issuer that confirms a wrong address must not
open the account that signed up with it.
"""

import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import requests
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, url_for
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from pymongo.errors import DuplicateKeyError

from client.accounts.documents import Shopper
from client.config import ClientSettings
from web.http.problems import ProblemError

log = structlog.get_logger(__name__)

NAME = "oidc"
TIMEOUT = 5.0  # seconds, for each call to the issuer
LEEWAY = 60  # seconds of clock offset
# Only algorithms with which the issuer alone can sign; "none" and HS256 are refused even if the issuer offers them.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class NotConfirmedError(ProblemError):
    """The request does not carry a valid confirmation by the issuer."""

    status = HTTPStatus.UNAUTHORIZED


class IssuerUnavailableError(ProblemError):
    status = HTTPStatus.SERVICE_UNAVAILABLE


def init_oidc(app: Flask, settings: ClientSettings) -> None:
    """Offer the sign-in where an issuer is configured."""
    issuer = settings.client_oidc_issuer
    if not issuer:
        return
    OAuth(app).register(
        NAME,
        client_id=settings.client_oidc_client_id,
        client_secret=settings.client_oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "default_timeout": TIMEOUT},
    )
    app.config.update(OIDC_ISSUER=issuer, PUBLIC_URL=settings.client_public_url)


def offered() -> bool:
    """Return whether an issuer is configured."""
    return "OIDC_ISSUER" in current_app.config


def redirect_to_issuer() -> ResponseReturnValue:
    """Send the browser to the issuer. Raises IssuerUnavailableError."""
    back = f"{current_app.config['PUBLIC_URL']}{url_for('account.oidc_done')}"
    try:
        answer: ResponseReturnValue = _issuer().authorize_redirect(back)
    except (requests.RequestException, ValueError, RuntimeError) as error:
        raise _unavailable(error) from None
    return answer


def find_shopper() -> Shopper:
    """Return the account that the issuer confirmed; create it at the first sign-in.

    Raises NotConfirmedError and IssuerUnavailableError.
    """
    claims = _claims()
    subject = f"{claims['iss']} {claims['sub']}"
    found = Shopper.objects(oidc_subject=subject).first()
    return found or _sign_up(subject, claims)


def _issuer() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].create_client(NAME)


def _claims() -> dict[str, object]:
    client, issuer = _issuer(), current_app.config["OIDC_ISSUER"]
    expected = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    try:
        client.load_server_metadata()["id_token_signing_alg_values_supported"] = ALGORITHMS
        token = client.authorize_access_token(claims_options=expected, leeway=LEEWAY)
    except (requests.RequestException, RuntimeError) as error:
        raise _unavailable(error) from None
    except (OAuthError, JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("sign-in by the issuer refused", reason=type(error).__name__, about=getattr(error, "error", None))
        raise NotConfirmedError("The other service did not confirm who you are. Please try again.") from None
    if not isinstance(claims := token.get("userinfo"), dict) or not isinstance(claims["sub"], str):
        raise NotConfirmedError("The other service did not say who you are.")
    return claims


def _sign_up(subject: str, claims: dict[str, object]) -> Shopper:
    email = claims.get("email")
    verified = claims.get("email_verified")
    if not isinstance(email, str) or not (verified is True or verified == "true"):  # some issuers send it as text
        raise NotConfirmedError("The other service did not confirm an e-mail address of yours.")
    shopper = Shopper(
        id=uuid.uuid4().hex, email=email.lower(), oidc_subject=subject, password_hash="", created_at=datetime.now(UTC)
    )
    try:
        return shopper.create()
    except DuplicateKeyError:
        if twice := Shopper.objects(oidc_subject=subject).first():  # a second click
            return twice  # type: ignore[no-any-return]
        raise NotConfirmedError("There is an account with your e-mail address. Sign in with its password.") from None


def _unavailable(error: Exception) -> IssuerUnavailableError:
    log.warning("the issuer does not answer", reason=type(error).__name__)
    return IssuerUnavailableError("The other service does not answer. Try again in a moment, or use a password.")
