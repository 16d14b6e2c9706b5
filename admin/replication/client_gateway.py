"""The only module of Admin that calls the Client (A6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from flask import Flask, current_app

from tasks.messages import parse_time
from web.signatures import SignedBy

TIMEOUT = (2.0, 15.0)  # seconds to connect, to answer
MAX_IDS = 500


class ClientUnavailableError(Exception):
    """The Client cannot be asked; what it holds is unknown."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the Client holds of one product; ``failure`` is its reason for refusing ``failed_ver``, if it did."""

    ver: int
    checksum: str
    applied_at: datetime | None
    failed_ver: int
    failure: str | None


class ClientGateway:
    """Signed calls to the Client, on one keep-alive session."""

    def __init__(self, base_url: str, keys: dict[str, bytes]) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.auth = SignedBy(keys, audience="client")

    def held(self, product_ids: list[int]) -> dict[int, Held]:
        """Ask what the Client holds of at most MAX_IDS products; ids it never heard of are missing.

        Raises ClientUnavailableError on anything but a valid 200 answer.
        """
        try:
            response = self._session.post(
                f"{self._base_url}/service/v1/products/held", json={"ids": product_ids}, timeout=TIMEOUT
            )
            response.raise_for_status()
            return {item["id"]: _held(item) for item in response.json()["held"]}
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise ClientUnavailableError(f"the Client cannot be asked what it holds: {error!r}") from error


def init_client_gateway(app: Flask, base_url: str, keys: dict[str, bytes]) -> None:
    app.extensions["client_gateway"] = ClientGateway(base_url, keys)


def client_gateway() -> ClientGateway:
    gateway: ClientGateway = current_app.extensions["client_gateway"]
    return gateway


def _held(item: dict[str, Any]) -> Held:
    applied = item["applied_at"]
    return Held(
        ver=int(item["ver"]),
        checksum=str(item["checksum"]),
        applied_at=parse_time(applied).replace(tzinfo=None) if applied else None,
        failed_ver=int(item["failed_ver"]),
        failure=item["failure"],
    )
