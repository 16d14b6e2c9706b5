"""L4: the only module of the Client that calls Admin. Signed anew for each attempt, every wait bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests

from client.config import ClientSettings
from tasks.messages import InvalidMessageError, LikeChanged, ProductChanged
from web.signatures import SignedBy, parse_keys

TIMEOUT = (2.0, 10.0)  # seconds to connect, to answer
MAX_RETRY_AFTER = 600.0
OUTCOMES = {"applied", "superseded", "gone", "unknown", "invalid"}


class AdminUnavailableError(Exception):
    """Anything but a valid answer. ``retry_after`` is in seconds, None when Admin did not say."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Admin did with one like, and what it holds now."""

    outcome: str
    rev: int
    liked: bool
    reason: str


class AdminGateway:
    """Signed calls on one keep-alive session; not shared between processes."""

    def __init__(self, settings: ClientSettings) -> None:
        self._base_url = settings.client_admin_url
        self._session = requests.Session()
        self._session.auth = SignedBy(parse_keys(settings.service_keys), audience="admin")

    def send_likes(self, likes: Sequence[LikeChanged]) -> list[Outcome]:
        """Hand Admin a batch; return an outcome for each, in order. Raises AdminUnavailableError."""
        answer = self._call("POST", "/service/v1/likes", {"likes": [like.encode() for like in likes]})
        try:
            outcomes = [_outcome(item) for item in answer["outcomes"]]
        except (KeyError, TypeError, ValueError) as error:
            raise AdminUnavailableError(f"Admin's answer makes no sense: {error!r}") from error
        if len(outcomes) != len(likes):
            raise AdminUnavailableError(f"Admin answered {len(outcomes)} of {len(likes)} likes")
        return outcomes

    def product_states(self, product_ids: Sequence[int]) -> list[ProductChanged]:
        """Return products' current states, deleted or not; ids that Admin never had are missing.

        Raises AdminUnavailableError.
        """
        answer = self._call("POST", "/service/v1/products/states", {"ids": list(product_ids)})
        try:
            return [ProductChanged.decode(item) for item in answer["states"]]
        except (InvalidMessageError, KeyError, TypeError) as error:
            raise AdminUnavailableError(f"Admin's answer makes no sense: {error!r}") from error

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            response = self._session.request(
                method, f"{self._base_url}{path}", json=body, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise AdminUnavailableError(f"Admin does not answer: {error!r}") from error
        if response.status_code != HTTPStatus.OK:
            raise AdminUnavailableError(f"Admin answered {response.status_code}", _retry_after(response))
        try:
            return response.json()
        except ValueError as error:
            raise AdminUnavailableError("Admin's answer is not JSON") from error


def _outcome(item: Any) -> Outcome:
    outcome = Outcome(item["outcome"], item["rev"], item["liked"], item["reason"])
    if outcome.outcome not in OUTCOMES or type(outcome.rev) is not int or type(outcome.liked) is not bool:
        raise ValueError(f"unknown outcome {outcome.outcome!r}")
    return outcome


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that Admin asks to wait (RFC 9110, 10.2.3: a number or a date), bounded."""
    value = response.headers.get("Retry-After", "")
    try:
        moment = float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(moment, 0.0), MAX_RETRY_AFTER)
