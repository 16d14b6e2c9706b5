"""Messages between the services: frozen dataclasses and their JSON, versioned.

``product.changed.v1`` carries a product's full state, so only the newest message has to arrive.
``like.changed.v1`` carries one shopper's like of one product, set or not.

Compatibility: within a version, fields may be added, and readers ignore unknown ones; no field is removed or changes
its meaning. A message of a newer version waits until this side is upgraded (decision 19). ``tests/contract`` has a
stored sample of each.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Any, Self

from contract.causation import UNKNOWN, Cause
from contract.currencies import CODES, decimals, price_pattern
from contract.product_rules import RULES
from contract.versions import MAX_SEQUENCE, label
from runtime.correlation import valid_id

PRODUCT_CHANGED = "product.changed.v1"
LIKE_CHANGED = "like.changed.v1"
MAX_IDS = 500  # products per call between the services, in both directions

_NEWER = "type {!r} is newer than {!r}: upgrade the service that received it"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")  # as format_time
_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class InvalidMessageError(ValueError):
    """A message breaks its contract. ``product_id`` and ``sequence`` are None where they cannot be read."""

    def __init__(self, reason: str, product_id: int | None = None, sequence: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.product_id, self.sequence = reason, product_id, sequence


class NewerMessageError(InvalidMessageError):
    """The message has a newer version than this side knows: the sender was upgraded first."""


@dataclass(frozen=True, slots=True)
class ProductContent:
    """The content of a product that shoppers see. ``price`` is a decimal string with as many digits after the point as
    the currency has; the times are RFC 3339 UTC.
    """

    sku: str
    title: str
    description: str
    price: str
    currency: str
    category: str
    image_url: str
    created_at: str
    updated_at: str

    def checksum(self) -> str:
        """Return the hex digest by which the stores are compared (BLAKE2b, 128 bits, over sorted JSON)."""
        # The text of json.dumps with sorted keys and no blanks, in a third of the time: this runs for every product.
        text = ",".join([f'"{name}":{encode_basestring(getattr(self, name))}' for name in _SORTED_NAMES])
        return hashlib.blake2b(f"{{{text}}}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def encode(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in CONTENT_NAMES}

    @classmethod
    def decode(cls, raw: Any) -> Self:
        """Check ``raw`` (parsed JSON) by the rules for what staff save, and return it typed.

        Raises ValueError that names the field.
        """
        if not isinstance(raw, dict):
            raise ValueError("product must be an object")
        for name in CONTENT_NAMES:
            if not isinstance(raw.get(name), str):
                raise ValueError(f"product.{name} must be a string")
        if raw["currency"] not in CODES:
            raise ValueError("product.currency must be the code of a currency (ISO 4217)")
        if not price_pattern(raw["currency"]).fullmatch(raw["price"]):
            places = decimals(raw["currency"])
            raise ValueError(f"product.price must be a decimal string with {places} digits after the point")
        for name, rule in RULES.items():
            if problem := rule.problem_as_stored(raw[name]):
                raise ValueError(f"product.{name}: {problem.removesuffix('.')}")
        for name in ("created_at", "updated_at"):
            parse_time(raw[name], f"product.{name}")
            if not _TIME.fullmatch(raw[name]):
                raise ValueError(f"product.{name} must be in UTC, with milliseconds")
        return cls(**{name: raw[name] for name in CONTENT_NAMES})


CONTENT_NAMES = tuple(field.name for field in fields(ProductContent))
_SORTED_NAMES = sorted(CONTENT_NAMES)
DELETED_CHECKSUM = ""  # of a tombstone, which has no content
MALFORMED_CHECKSUM = "malformed"  # of a stored copy that no message could have written


@dataclass(frozen=True)
class ProductChanged:
    """A product's full state at ``sequence``; ``product`` is None when it is deleted.

    ``cause`` is not part of the JSON: it travels in the task's headers.
    """

    id: int
    sequence: int
    product: ProductContent | None
    cause: Cause = field(default=UNKNOWN, compare=False)

    @property
    def label(self) -> str:
        """The name of this state in Flower and in logs: ``42@v3``, ``42@v4 deleted``."""
        return f"{label(self.id, self.sequence)}{'' if self.product else ' deleted'}"

    @cached_property
    def checksum(self) -> str:
        return self.product.checksum() if self.product else DELETED_CHECKSUM

    def encode(self) -> dict[str, Any]:
        return {
            "type": PRODUCT_CHANGED,
            "id": self.id,
            "sequence": self.sequence,
            "deleted": self.product is None,
            "checksum": self.checksum,
            "product": self.product.encode() if self.product else None,
        }

    @classmethod
    def decode(cls, raw: Any, caused: Mapping[int, Cause] = MappingProxyType({})) -> Self:
        """Check ``raw`` (parsed JSON) and return it typed, with its cause from ``caused``, by product id.

        Raises InvalidMessageError with a reason that names the field, and the product where it can be read;
        NewerMessageError when it has a newer version.
        """
        if not isinstance(raw, dict):
            raise InvalidMessageError("message must be an object")
        product_id = raw.get("id") if _is_int(raw.get("id"), 1) else None
        sequence = raw.get("sequence") if _is_int(raw.get("sequence"), 1) else None
        if _is_newer(raw.get("type"), PRODUCT_CHANGED):
            raise NewerMessageError(_NEWER.format(raw["type"], PRODUCT_CHANGED), product_id, sequence)
        try:
            return cls._decode(raw, caused)
        except ValueError as error:
            raise InvalidMessageError(str(error), product_id, sequence) from error

    @classmethod
    def _decode(cls, raw: dict[str, Any], caused: Mapping[int, Cause]) -> Self:
        if raw.get("type") != PRODUCT_CHANGED:
            raise ValueError(f"type must be {PRODUCT_CHANGED!r}")
        for name in ("id", "sequence"):
            if not _is_int(raw.get(name), 1):
                raise ValueError(f"{name} must be a positive integer")
        if not isinstance(raw.get("deleted"), bool):
            raise ValueError("deleted must be true or false")
        product = None if raw["deleted"] else ProductContent.decode(raw.get("product"))
        message = cls(raw["id"], raw["sequence"], product, caused.get(raw["id"], UNKNOWN))
        if raw.get("checksum") != message.checksum:
            raise ValueError("checksum does not match the content")
        return message


@dataclass(frozen=True, slots=True)
class LikeChanged:
    """One shopper's like of one product, set or not. ``revision`` counts its changes from 1.

    The JSON includes the id of the request that caused it, for the logs of both sides.
    """

    product: int
    user: str
    revision: int
    liked: bool
    cause: Cause = field(default=UNKNOWN, compare=False)

    @property
    def label(self) -> str:
        return f"{self.product}:{self.user}@r{self.revision}"

    def encode(self) -> dict[str, Any]:
        state = {"product": self.product, "user": self.user, "revision": self.revision, "liked": self.liked}
        caused = {"request_id": self.cause.request_id} if self.cause.request_id else {}
        return {"type": LIKE_CHANGED, **state, **caused}

    @classmethod
    def decode(cls, raw: Any) -> Self:
        """Check ``raw`` (parsed JSON) and return it typed. Raises InvalidMessageError that names the field."""
        if isinstance(raw, dict) and _is_newer(raw.get("type"), LIKE_CHANGED):
            raise NewerMessageError(_NEWER.format(raw["type"], LIKE_CHANGED))
        if not isinstance(raw, dict) or raw.get("type") != LIKE_CHANGED:
            raise InvalidMessageError(f"each like must be an object of type {LIKE_CHANGED!r}")
        for name in ("product", "revision"):
            if not _is_int(raw.get(name), 1):
                raise InvalidMessageError(f"{name} must be a positive integer")
        if not isinstance(raw.get("user"), str) or not _USER.fullmatch(raw["user"]):
            raise InvalidMessageError("user must be 1 to 64 letters, digits, '-' or '_'")
        if not isinstance(raw.get("liked"), bool):
            raise InvalidMessageError("liked must be true or false")
        cause = Cause(valid_id(raw.get("request_id")))
        return cls(raw["product"], raw["user"], raw["revision"], raw["liked"], cause)


def likes_digest(likes: Iterable[LikeChanged]) -> str:
    """Return a digest of the set of likes, independent of their order: their number and a sum of hashes."""
    count = total = 0
    for like in likes:
        text = f"{like.product}:{like.user}:{like.revision}:{like.liked:d}"
        total += int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
        count += 1
    return f"{count}:{total % (1 << 128):032x}"


def parse_time(text: str, name: str = "time") -> datetime:
    """Return an RFC 3339 UTC time as an aware datetime. Raises ValueError that names the field."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{name} must be an RFC 3339 time") from error
    if moment.utcoffset() is None:
        raise ValueError(f"{name} must have a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{name} must be between the years 1 and 9999") from error


@lru_cache(maxsize=64)  # all products of a chunk or batch have the time of its transaction
def format_time(moment: datetime) -> str:
    """Return a datetime (naive ones are UTC) as RFC 3339 with milliseconds, the precision of both stores."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_newer(given: Any, ours: str) -> bool:
    """Return whether ``given`` is a newer version of the type ``ours``: ``product.changed.v2`` of ``…v1``."""
    name, version = ours.rsplit(".v", 1)
    found = re.fullmatch(rf"{re.escape(name)}\.v([1-9][0-9]{{0,3}})", given) if isinstance(given, str) else None
    return found is not None and int(found[1]) > int(version)


def _is_int(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_SEQUENCE
