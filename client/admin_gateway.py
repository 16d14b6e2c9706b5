"""L4: the only module of the Client that calls Admin. Signed anew for each attempt, every wait bounded."""

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
    """Anything but a valid answer. ``retry_after`` is in seconds, None when Admin did not say; ``status`` is the
    answer's, None when there was none."""

    def __init__(self, reason: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.retry_after, self.status = retry_after, status


class BatchTooLargeError(AdminUnavailableError):
    """Admin, or a proxy before it, takes no batch of this size."""


_TOO_LARGE = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}  # 422: more items than it takes


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
        """Hand Admin a batch; return an outcome for each, in order.

        Raises AdminUnavailableError; BatchTooLargeError where fewer likes may do.
        """
        answer = self._call("POST", LIKES, {"likes": [like.encode() for like in likes]})
        try:
            outcomes = [LikeOutcome.decode(item) for item in answer["outcomes"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _nonsense(error) from error
        if len(outcomes) != len(likes):
            raise AdminUnavailableError(f"Admin answered {len(outcomes)} of {len(likes)} likes")
        return outcomes

    def product_states(self, product_ids: Sequence[int]) -> tuple[list[ProductChanged], list[InvalidMessageError]]:
        """Return products' current states, deleted or not, and why some are not valid; ids that Admin never had are
        missing.

        Raises AdminUnavailableError, also where only the next release can read a state.
        """
        answer = self._call("POST", f"{PRODUCTS}/states", {"ids": list(product_ids)})
        try:
            decoded = [_state(item) for item in answer["states"]]
        except (InvalidMessageError, KeyError, TypeError) as error:
            raise _nonsense(error) from error
        refused = [item for item in decoded if isinstance(item, InvalidMessageError)]
        return [item for item in decoded if isinstance(item, ProductChanged)], refused

    def image(self, digest: str) -> bytes | None:
        """Return what Admin keeps under ``digest``, not verified; None: nothing. Raises AdminUnavailableError."""
        try:
            return self._exchange("GET", f"{IMAGES}/{digest}")
        except AdminUnavailableError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def likes_digest(self, after: Key, upto: Key | None) -> str | None:
        """Return Admin's digest of the likes after one key up to another (None: all). None: they are too many.

        Raises AdminUnavailableError, as all that follow.
        """
        digest = self._part("GET", f"{LIKES}/digest?{_range(after, upto)}", "digest")
        return None if digest is None else str(digest)

    def likes_range(self, after: Key, upto: Key | None) -> list[StoredLike]:
        """Return the first of Admin's likes in the range, none when there are no more."""
        return _held(self._part("GET", f"{LIKES}/range?{_range(after, upto)}", "likes"))

    def stored_likes(self, keys: Sequence[Key]) -> list[StoredLike]:
        """Return what Admin holds of ``keys``."""
        body = {"keys": [{"product": product, "user": user} for product, user in keys]}
        return _held(self._part("POST", f"{LIKES}/lookup", "likes", body))

    def wrong_like_counts(self, after: int) -> tuple[list[WrongCount], int | None]:
        """Return Admin's wrong counts among the next products, and the id to go on after, None at the end."""
        answer = self._call("GET", f"{LIKES}/counts?after={after}")
        try:
            wrong = [WrongCount.decode(count) for count in answer["wrong"]]
            return wrong, None if answer["next"] is None else int(answer["next"])
        except (KeyError, TypeError, ValueError) as error:
            raise _nonsense(error) from error

    def recount_likes(self, product_ids: Sequence[int]) -> None:
        """Have Admin count these products' likes anew."""
        self._call("POST", f"{LIKES}/recount", {"products": list(product_ids)})

    def _part(self, method: str, path: str, name: str, body: Any = None) -> Any:
        try:
            return self._call(method, path, body)[name]
        except (KeyError, TypeError) as error:
            raise _nonsense(error) from error

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


def _held(items: Any) -> list[StoredLike]:
    try:
        return [StoredLike.decode(item) for item in items]
    except (KeyError, TypeError, ValueError) as error:
        raise _nonsense(error) from error


def _nonsense(error: Exception) -> AdminUnavailableError:
    return AdminUnavailableError(f"Admin's answer makes no sense: {error!r}")


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that Admin asks to wait (RFC 9110, 10.2.3: a number or a date)."""
    value = response.headers.get("Retry-After", "")
    try:
        moment = float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return max(moment, 0.0)
