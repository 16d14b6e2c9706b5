"""The only module of the Client that calls Admin. Each attempt has a new signature and bounded timeouts."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3.exceptions import HTTPError

from client.config import ClientSettings
from contract.messages import InvalidMessageError, LikeChanged, NewerMessageError, ProductChanged
from contract.service_calls import IMAGES, LIKES, PRODUCTS, LikeOutcome, StoredLike, WrongCount
from runtime import answers, call_failures
from runtime.correlation import outgoing
from web.security.signatures import SignedBy, parse_keys

TIMEOUT = (2.0, 10.0)  # seconds to connect, to answer
MAX_ANSWER = 8 * 1024 * 1024  # bytes


class AdminUnavailableError(Exception):
    """Admin gave no valid answer. ``retry_after`` is in seconds, None without the header; ``status`` is that of the
    answer, None when there was none."""

    def __init__(self, reason: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.retry_after, self.status = retry_after, status


class BatchTooLargeError(AdminUnavailableError):
    """Admin, or a proxy before it, refuses a batch of this size."""


_TOO_LARGE = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}  # 422: more items than Admin accepts


Key = tuple[int, str]  # product, user: the order of both stores
FIRST: Key = (0, "")


class AdminGateway:
    """Signed calls on one keep-alive session; not shared between processes.

    ``timeout``: seconds to connect, and to answer, from the first byte to the last.
    """

    def __init__(self, settings: ClientSettings, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base_url = settings.client_admin_url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = SignedBy(parse_keys(settings.service_keys), audience="admin")

    def send_likes(self, likes: Sequence[LikeChanged]) -> list[LikeOutcome]:
        """Send a batch to Admin; return an outcome for each like, in order.

        Raises AdminUnavailableError, and BatchTooLargeError where a smaller batch may be accepted.
        """
        answer = self._call("POST", LIKES, {"likes": [like.encode() for like in likes]})
        try:
            outcomes = [LikeOutcome.decode(item) for item in answer["outcomes"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(error) from error
        if len(outcomes) != len(likes):
            raise AdminUnavailableError(f"Admin answered {len(outcomes)} of {len(likes)} likes")
        return outcomes

    def product_states(self, product_ids: Sequence[int]) -> tuple[list[ProductChanged], list[InvalidMessageError]]:
        """Return products' current states, deleted ones too, and an error for each invalid one, without unknown ids.

        Raises AdminUnavailableError, also for a state that only a newer release can read.
        """
        answer = self._call("POST", f"{PRODUCTS}/states", {"ids": list(product_ids)})
        try:
            decoded = [_state(item) for item in answer["states"]]
        except (InvalidMessageError, KeyError, TypeError) as error:
            raise _unreadable(error) from error
        refused = [item for item in decoded if isinstance(item, InvalidMessageError)]
        return [item for item in decoded if isinstance(item, ProductChanged)], refused

    def image(self, digest: str) -> bytes | None:
        """Return the image ``digest``, not verified; None where Admin has none. Raises AdminUnavailableError."""
        try:
            return self._exchange("GET", f"{IMAGES}/{digest}")
        except AdminUnavailableError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def likes_digest(self, after: Key, upto: Key | None) -> str | None:
        """Return Admin's digest of the likes in (after, upto]; ``upto`` None: to the end. None: too many likes.

        Raises AdminUnavailableError, as all methods below.
        """
        digest = self._part("GET", f"{LIKES}/digest?{_range(after, upto)}", "digest")
        return None if digest is None else str(digest)

    def likes_range(self, after: Key, upto: Key | None) -> list[StoredLike]:
        """Return Admin's first likes in the range (after, upto], an empty list at the end."""
        return _stored_likes(self._part("GET", f"{LIKES}/range?{_range(after, upto)}", "likes"))

    def stored_likes(self, keys: Sequence[Key]) -> list[StoredLike]:
        """Return those of Admin's likes with these ``keys``."""
        body = {"keys": [{"product": product, "user": user} for product, user in keys]}
        return _stored_likes(self._part("POST", f"{LIKES}/lookup", "likes", body))

    def wrong_like_counts(self, after: int) -> tuple[list[WrongCount], int | None]:
        """Return Admin's wrong counts among the next products, and the id to continue after, None at the end."""
        answer = self._call("GET", f"{LIKES}/counts?after={after}")
        try:
            wrong = [WrongCount.decode(count) for count in answer["wrong"]]
            return wrong, None if answer["next"] is None else int(answer["next"])
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(error) from error

    def recount_likes(self, product_ids: Sequence[int]) -> None:
        """Let Admin recount the likes of these products."""
        self._call("POST", f"{LIKES}/recount", {"products": list(product_ids)})

    def _part(self, method: str, path: str, name: str, body: Any = None) -> Any:
        try:
            return self._call(method, path, body)[name]
        except (KeyError, TypeError) as error:
            raise _unreadable(error) from error

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return json.loads(self._exchange(method, path, body))
        except (ValueError, RecursionError) as error:
            raise AdminUnavailableError("Admin's answer is not JSON") from error

    def _exchange(self, method: str, path: str, body: Any = None) -> bytes:
        try:
            response = self._session.request(
                method,
                f"{self._base_url}{path}",
                json=body,
                headers=outgoing(),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = self._read(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise AdminUnavailableError(f"Admin does not answer: {call_failures.reason(error)}") from error
        if response.status_code != HTTPStatus.OK:
            kind = BatchTooLargeError if response.status_code in _TOO_LARGE else AdminUnavailableError
            raise kind(f"Admin answered {response.status_code}", _retry_after(response), response.status_code)
        return content

    def _read(self, response: requests.Response) -> bytes:
        content = answers.read(response, time.monotonic() + self._timeout[1], MAX_ANSWER)
        if content is None:
            raise AdminUnavailableError("Admin's answer is too long, or comes too slowly")
        return content


def _state(item: Any) -> ProductChanged | InvalidMessageError:
    try:
        return ProductChanged.decode(item)
    except NewerMessageError:
        raise
    except InvalidMessageError as error:
        return error


def _range(after: Key, upto: Key | None) -> str:
    bounds = {"after_product": after[0], "after_user": after[1]}
    return urlencode(bounds | ({"upto_product": upto[0], "upto_user": upto[1]} if upto else {}))


def _stored_likes(items: Any) -> list[StoredLike]:
    try:
        return [StoredLike.decode(item) for item in items]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> AdminUnavailableError:
    return AdminUnavailableError(f"cannot read Admin's answer: {error!r}")


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds in Retry-After (RFC 9110, 10.2.3: a number or a date)."""
    value = response.headers.get("Retry-After", "")
    try:
        moment = float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return max(moment, 0.0)
