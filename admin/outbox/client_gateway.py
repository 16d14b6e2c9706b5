"""Calls the Client's web service. No other module of Admin does."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from flask import Flask, current_app
from urllib3.exceptions import HTTPError

from admin.outbox.breaker import Breaker
from contract.messages import parse_time
from contract.service_calls import PRODUCTS, ReplicaState
from runtime import answers, call_failures
from runtime.correlation import outgoing
from web.security.signatures import SignedBy

CONNECT_SECONDS = 2.0
TIMEOUT_SECONDS = 5.0  # from the call to the last byte of the answer, where the caller names no other
MAX_ANSWER = 32 * 1024 * 1024  # bytes


class ClientUnavailableError(Exception):
    """The Client gave no valid answer; the state of its copy is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The Client's replica states by product id; products without one are missing.

    ``generation`` is the highest that the Client stored before this call (see ``admin.relay.restore_detection``),
    ``now`` the Client's clock.
    """

    states: Mapping[int, ReplicaState]
    generation: int
    now: datetime


@contextmanager
def readable_answer() -> Iterator[None]:
    """Raise ClientUnavailableError where the block cannot read the Client's answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ClientUnavailableError(f"cannot read the Client's answer: {error!r}") from error


class ClientGateway:
    """Signed calls to the Client, on one keep-alive session."""

    def __init__(self, base_url: str, keys: dict[str, bytes]) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.auth = SignedBy(keys, audience="client")
        self._breaker = Breaker()

    def replica_states(
        self, product_ids: Sequence[int], timeout: float = TIMEOUT_SECONDS, **generations: int
    ) -> Answer:
        """Return the replica states of at most MAX_IDS products.

        ``generations`` are sent along: generation, epoch and acknowledged, for ``admin.relay.restore_detection``.
        Raises ClientUnavailableError.
        """
        answer = self.ask(f"{PRODUCTS}/replica-states", {"ids": list(product_ids), **generations}, timeout)
        with readable_answer():
            states = [ReplicaState.decode(item) for item in answer["states"]]
            return Answer({state.id: state for state in states}, int(answer["generation"]), _moment(answer["now"]))

    def ask(self, path: str, body: Any, timeout: float = TIMEOUT_SECONDS) -> Any:
        """POST ``body`` as JSON to the Client's ``path``; return the parsed answer.

        Raises ClientUnavailableError unless a valid 200 answer arrives within ``timeout`` seconds; at once while the
        circuit breaker is open.
        """
        if not self._breaker.may_call():
            raise ClientUnavailableError("the Client did not answer in time; the next call is made in a few seconds")
        status, content = self._exchange(path, body, timeout)
        if status != requests.codes.ok:
            raise ClientUnavailableError(f"the Client answered {status}")
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ClientUnavailableError("the Client's answer is not JSON") from error

    def _exchange(self, path: str, body: Any, timeout: float) -> tuple[int, bytes]:
        deadline = time.monotonic() + timeout
        try:
            with self._session.post(
                f"{self._base_url}{path}",
                json=body,
                headers=outgoing(),
                timeout=(CONNECT_SECONDS, timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = answers.read(response, deadline, MAX_ANSWER)
        except (requests.RequestException, HTTPError, OSError) as error:
            if call_failures.was_late(error):
                self._breaker.open()
            raise ClientUnavailableError(f"the Client does not answer: {call_failures.reason(error)}") from error
        if content is None:
            self._breaker.open()
            raise ClientUnavailableError("the Client's answer is too long or too slow")
        self._breaker.close()
        return response.status_code, content


def init_client_gateway(app: Flask, base_url: str, keys: dict[str, bytes]) -> None:
    app.extensions["client_gateway"] = ClientGateway(base_url, keys)


def client_gateway() -> ClientGateway:
    gateway: ClientGateway = current_app.extensions["client_gateway"]
    return gateway


def _moment(text: str) -> datetime:
    """Return a time as Admin's database stores it: UTC, naive."""
    return parse_time(text).replace(tzinfo=None)
