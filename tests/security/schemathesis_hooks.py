"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): signing in, and constraints that no schema can express."""

import os
import re
import uuid
from typing import Any

import requests
import schemathesis
from pydantic import SecretStr
from requests.auth import AuthBase

from contract.currencies import CODES
from tests.flow.running import PASSWORD
from web.security import passwords
from web.security.signatures import SignedBy, parse_keys

BASE, EMAIL = os.environ["UNDER_TEST_BASE"], os.environ["UNDER_TEST_EMAIL"]  # no e-mail: anonymous
LAST_STAFF = int(os.environ["UNDER_TEST_LAST_STAFF"])
_SIGNED = SignedBy(parse_keys(SecretStr(os.environ["SERVICE_KEYS"])), os.environ["UNDER_TEST_SERVICE"])
_PRICE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?")
_UPLOADED_IMAGE = re.compile(r"/images/[0-9a-f]{64}")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001 - schemathesis wants these names
    """Replace generated values that would end the run's accounts or break rules beyond JSON Schema."""
    for name in [name for name in case.headers if name.lower() in {"content-length", "transfer-encoding", "host"}]:
        del case.headers[name]  # the server below answers these: test_wire.py
    staff_id = str((case.path_parameters or {}).get("staff_id", ""))
    if staff_id.isdecimal() and int(staff_id) <= LAST_STAFF:
        case.path_parameters["staff_id"] = int(staff_id) + 1_000_000  # must not change the tests' accounts
    if isinstance(case.query, dict) and isinstance(case.query.get("cursor"), str):
        del case.query["cursor"]  # signed: only cursors of a list are accepted
    if isinstance(case.headers.get("Idempotency-Key"), str) and case.headers["Idempotency-Key"].isascii():
        case.headers["Idempotency-Key"] = uuid.uuid4().hex  # one key per body
    if isinstance(case.body, dict) and _UPLOADED_IMAGE.fullmatch(str(case.body.get("image_url"))):
        case.body["image_url"] = ""  # a digest must be of an existing image
    if isinstance(case.body, dict):
        _fit_price(case.body)
    if isinstance(case.body, dict) and _is_weak(case.body.get("password")):
        case.body["password"] = uuid.uuid4().hex  # of the right length, but easy to guess


def _fit_price(body: dict[str, Any]) -> None:
    """Fit a valid price to the decimals of its currency, which no JSON Schema expresses."""
    if isinstance(body.get("price"), str) and _PRICE.fullmatch(body["price"]):
        body["price"] = body["price"].partition(".")[0]
    if isinstance(body.get("currency"), str) and body["currency"] in CODES:
        body["currency"] = "EUR"  # fits the existing price


def _is_weak(password: object) -> bool:
    if not isinstance(password, str) or not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        return False
    try:
        passwords.check(password, "")
    except passwords.WeakPasswordError:
        return True
    return False


class Signed(AuthBase):
    """A fresh signature, also where a request is prepared again to show how to repeat it."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        for name in ("Content-Digest", "Signature", "Signature-Input"):
            prepared.headers.pop(name, None)
        return _SIGNED(prepared)


def sign_in() -> str:
    credentials = {"email": EMAIL, "password": PASSWORD}
    answer = requests.post(f"{BASE}/api/v1/auth/token", json=credentials, timeout=20)
    return str(answer.json()["access_token"])


if EMAIL:  # else anonymous, also on service routes
    schemathesis.auth.set_from_requests(Signed()).apply_to(path_regex="^/service/")

    @schemathesis.auth().apply_to(path_regex="^/api/")
    class Bearer:
        def get(self, case: Any, context: Any) -> str:
            return sign_in()

        def set(self, case: Any, data: str, context: Any) -> None:
            # revoking ends a sign-in, so it gets a separate one
            token = sign_in() if case.operation.path.endswith("/revoke") else data
            case.headers["Authorization"] = f"Bearer {token}"
