"""Signatures of calls between the services: HTTP Message Signatures (RFC 9421) with HMAC-SHA-256.

They cover method, path, query and, by Content-Digest, the body, with created, expires, key id, and a tag with the name
of the called service, so that a call to one service cannot be replayed to the other. Every service call is idempotent,
so a replay within the validity changes nothing.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from http import HTTPStatus
from types import SimpleNamespace
from typing import Annotated, Any, ParamSpec, TypeVar

import requests
from flask import current_app, request
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from pydantic import AfterValidator, Field, SecretStr
from requests.auth import AuthBase

from runtime import clocks
from runtime.settings import MIN_SECRET
from web.http.head import sent_method
from web.http.problems import ProblemError

P = ParamSpec("P")
R = TypeVar("R")

VALIDITY = timedelta(seconds=60)
_KEY_ID = re.compile(r"[!#-\[\]-~]+")  # characters that a string in a header needs not escape (RFC 8941)
COVERED = ("@method", "@path", "@query", "content-digest")


class UnsignedError(ProblemError):
    """The service call has no valid signature."""

    status = HTTPStatus.UNAUTHORIZED


def parse_keys(text: SecretStr) -> dict[str, bytes]:
    """Return key id → secret from ``id:secret[,id:secret…]``. The first signs, all of them verify.

    Raises ValueError where an entry is malformed, too short or a duplicate. The error names the entry by its position:
    where id and secret are swapped, the id would reveal the secret.
    """
    keys: dict[str, bytes] = {}
    entries = filter(None, (part.strip() for part in text.get_secret_value().split(",")))
    for number, entry in enumerate(entries, 1):
        key_id, colon, secret = entry.partition(":")
        if not colon or not key_id:
            raise ValueError("must be key-id:secret, several separated by commas")
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"the id of key number {number} must be ASCII without spaces, quotes and backslashes")
        if len(secret) < MIN_SECRET:
            raise ValueError(f"the secret of key number {number} must have at least {MIN_SECRET} characters")
        if key_id in keys:
            raise ValueError(f"the id of key number {number} is a duplicate")
        keys[key_id] = secret.encode()
    if not keys:
        raise ValueError("must have at least one key-id:secret")
    return keys


def _check_keys(text: SecretStr) -> SecretStr:
    parse_keys(text)
    return text


ServiceKeys = Annotated[
    SecretStr,
    AfterValidator(_check_keys),
    Field(
        description="Keys that sign the calls between the services: `key-id:secret`, the id in ASCII, the "
        "secret with at least 32 characters. Several are separated by commas: the first signs, all "
        "are accepted. The same at Admin and the Client."
    ),
]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    def resolve_private_key(self, key_id: str) -> bytes:
        return self._keys[key_id]

    def resolve_public_key(self, key_id: str) -> bytes:
        if key_id not in self._keys:
            raise InvalidSignature("unknown key id")
        return self._keys[key_id]


class SignedBy(AuthBase):
    """Signs each request; the requests library calls it for every attempt.

    ``audience`` is the called service: ``admin`` or ``client``.
    """

    def __init__(self, keys: dict[str, bytes], audience: str) -> None:
        self._key_id = next(iter(keys))
        self._audience = audience
        self._signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Keys(keys))

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        body = prepared.body or b""
        now = datetime.now(UTC)
        self._signer.sign(
            prepared,
            key_id=self._key_id,
            created=now,
            expires=now + VALIDITY,
            tag=self._audience,
            covered_component_ids=COVERED,
            body=body.encode() if isinstance(body, str) else body,
        )
        return prepared


def init_signatures(app: Any, keys: dict[str, bytes], audience: str) -> None:
    """Let the ``@service_only`` views of this service, ``audience``, accept calls signed with any of ``keys``."""
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Keys(keys))
    verifier.max_clock_skew = clocks.TOLERANCE  # in both directions; 5 s otherwise
    app.extensions["service_signatures"] = (verifier, audience)


def service_only(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view refuse calls that the other service did not sign."""

    @wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        _verify()
        return view(*args, **kwargs)

    return wrapper


def _verify() -> None:
    verifier, audience = current_app.extensions["service_signatures"]
    message = SimpleNamespace(method=sent_method(), url=f"http://service{_raw_target()}", headers=dict(request.headers))
    try:
        verifier.verify(
            message,
            max_age=VALIDITY,
            expect_tag=audience,
            require_components=COVERED,
            body=request.get_data(),
        )
    except InvalidSignature as error:
        raise UnsignedError(f"The service signature is not valid: {error}.") from None


def _raw_target() -> str:
    """Return the request target as it was sent: WSGI's PATH_INFO is already unquoted."""
    return str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"))
