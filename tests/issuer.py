"""A real OpenID Connect issuer, a process of its own with its own keys: ``python -m tests.issuer PORT``.

It signs in whoever asks. ``/spoil`` makes its next id tokens wrong in a way that a client has to notice.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from typing import Any

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "shop", "the-shops-secret"

_key, _other = (RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}) for _ in range(2))
_codes: dict[str, dict[str, Any]] = {}
_next: dict[str, Any] = {}
app = Flask(__name__)


@app.get("/.well-known/openid-configuration")
def metadata() -> ResponseReturnValue:
    base = request.host_url.rstrip("/")
    return jsonify(
        issuer=base,
        authorization_endpoint=f"{base}/authorize",
        token_endpoint=f"{base}/token",
        jwks_uri=f"{base}/jwks",
        response_types_supported=["code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256", "HS256", "none"],
    )


@app.get("/jwks")
def jwks() -> ResponseReturnValue:
    return jsonify(keys=[_key.as_dict(private=False)])


@app.post("/next")
def set_next() -> ResponseReturnValue:
    """Set the claims and faults of the next sign-ins."""
    _next.clear()
    _next.update(request.get_json())
    return "", 204


@app.get("/authorize")
def authorize() -> ResponseReturnValue:
    assert request.args["code_challenge_method"] == "S256"
    assert request.args["client_id"] == CLIENT_ID
    code = secrets.token_urlsafe()
    _codes[code] = dict(request.args)
    return redirect(f"{request.args['redirect_uri']}?code={code}&state={request.args['state']}")


@app.post("/token")
def token() -> ResponseReturnValue:
    asked = _codes.pop(request.form["code"], None)
    challenge = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
    if (
        asked is None
        or (request.authorization and request.authorization.password) != CLIENT_SECRET
        or asked["redirect_uri"] != request.form["redirect_uri"]
        or asked["code_challenge"] != _base64(challenge)
    ):
        return jsonify(error="invalid_grant"), 400
    return jsonify(access_token=secrets.token_urlsafe(), token_type="Bearer", expires_in=60, id_token=_id_token(asked))


def _id_token(asked: dict[str, Any]) -> str:
    now = int(time.time())
    claims = {
        "iss": request.host_url.rstrip("/"),
        "aud": CLIENT_ID,
        "sub": "someone",
        "email": "someone@example.com",
        "email_verified": True,
        "nonce": asked["nonce"],
        "iat": now,
        "exp": now + 60,
        **_next.get("claims", {}),
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    algorithm = _next.get("algorithm", "RS256")
    header = {"alg": algorithm, "kid": "k1"}
    if algorithm != "RS256":
        return _forged(header, claims)
    return jwt.encode(header, claims, _other if _next.get("other_key") else _key)


def _forged(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a token without a signature, or signed by HS256 with the public key as secret."""
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    mac = hmac.new(_key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(mac) if header['alg'] == 'HS256' else ''}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]))
