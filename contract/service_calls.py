"""HTTP calls between the two web services: paths, limits and JSON, as both sides use them. All calls are signed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from contract.digests import Entry
from contract.messages import InvalidMessageError, LikeChanged, ProductChanged, format_time, parse_time

PREFIX = "/service/v1"
PRODUCTS = f"{PREFIX}/products"  # of both services
LIKES = f"{PREFIX}/likes"  # Admin's
IMAGES = f"{PREFIX}/images"  # Admin's
STATE = f"{PREFIX}/state"  # the Client's
DEAD_LETTERS = f"{PREFIX}/dead-letters"  # the Client's

# Items of one call.
MAX_ENTRIES = 5_000
MAX_REPAIRS = 200
MAX_LIKES = 500
MAX_DEAD_LETTERS = 500

MAX_COUNTED = 1_000  # counting the dead letters of one state stops here
NEVER_AT_ADMIN = "Admin never had its products; discard the dead letter"  # why a resync is refused

# What Admin did with a like.
APPLIED = "applied"
SUPERSEDED = "superseded"  # Admin stores this revision or a higher one
GONE = "gone"  # the product is deleted: only unlikes are accepted
UNKNOWN = "unknown"  # Admin never had the product
INVALID = "invalid"
LIKE_OUTCOMES = frozenset({APPLIED, SUPERSEDED, GONE, UNKNOWN, INVALID})

# What the Client did with a repair; INVALID is one of these too: the state breaks the contract, nothing was written.
EQUAL = "equal"  # the copy was equal already
REPAIRED = "repaired"
CHANGED = "changed"  # the copy changed since it was read, and is left as it is


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """The Client's state of one product; ``sequence`` is 0 where no copy is stored.

    ``checksum`` is of the content that is stored, ``applied_at`` by the Client's clock. ``failure`` is the reason for
    refusing ``failed_sequence``, if it was refused. ``problem`` says why no message could have made this copy.
    """

    id: int
    sequence: int
    checksum: str
    applied_at: datetime | None
    failed_sequence: int
    failure: str | None
    problem: str | None = None

    def encode(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "sequence": self.sequence,
            "checksum": self.checksum,
            "applied_at": format_time(self.applied_at) if self.applied_at else None,
            "failed_sequence": self.failed_sequence,
            "failure": self.failure,
            "problem": self.problem,
        }

    @classmethod
    def decode(cls, raw: Any) -> Self:
        """Raises KeyError, TypeError or ValueError, as every ``decode`` in this module."""
        return cls(
            id=int(raw["id"]),
            sequence=int(raw["sequence"]),
            checksum=str(raw["checksum"]),
            applied_at=parse_time(raw["applied_at"]) if raw["applied_at"] else None,
            failed_sequence=int(raw["failed_sequence"]),
            failure=raw["failure"],
            problem=raw["problem"],
        )


@dataclass(frozen=True, slots=True)
class Extent:
    """The highest id and sequence in the Client's copy (0: none), and the number of live and deleted products."""

    highest_id: int
    highest_sequence: int
    live: int
    deleted: int

    @classmethod
    def decode(cls, raw: Any) -> Self:
        return cls(*(int(raw[name]) for name in ("highest_id", "highest_sequence", "live", "deleted")))


@dataclass(frozen=True, slots=True)
class Repair:
    """Replace ``seen`` (None: no copy) by ``state`` (None: a tombstone, as Admin never had the product)."""

    id: int
    seen: Entry | None
    state: ProductChanged | None

    @property
    def wanted(self) -> ProductChanged:
        return self.state or ProductChanged(self.id, self.seen.sequence if self.seen else 0, None)

    @property
    def wanted_entry(self) -> Entry:
        return Entry(self.id, self.wanted.sequence, self.wanted.checksum)

    def encode(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "seen": {"sequence": self.seen.sequence, "checksum": self.seen.checksum} if self.seen else None,
            "state": self.state.encode() if self.state else None,
        }

    @classmethod
    def decode(cls, raw: Any) -> Self:
        """Raises InvalidMessageError where the state breaks its contract."""
        seen = Entry(raw["id"], raw["seen"]["sequence"], raw["seen"]["checksum"]) if raw["seen"] else None
        state = None if raw["state"] is None else ProductChanged.decode(raw["state"])
        if state is not None and state.id != raw["id"]:
            raise InvalidMessageError("the state is of another product")
        return cls(raw["id"], seen, state)


@dataclass(frozen=True, slots=True)
class LikeOutcome:
    """What Admin did with one like; ``revision`` and ``liked`` are what Admin stores now (0 and False: nothing).

    ``reason`` explains INVALID. ``received_at`` is when Admin received the state that superseded the like, None where
    it came in the same batch.
    """

    outcome: str
    revision: int = 0
    liked: bool = False
    reason: str = ""
    received_at: datetime | None = field(default=None, compare=False)

    def encode(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "revision": self.revision,
            "liked": self.liked,
            "reason": self.reason,
            "received_at": format_time(self.received_at) if self.received_at else None,
        }

    @classmethod
    def decode(cls, raw: Any) -> Self:
        received_at = parse_time(raw["received_at"]) if raw["received_at"] else None
        outcome = cls(raw["outcome"], raw["revision"], raw["liked"], raw["reason"], received_at)
        if outcome.outcome not in LIKE_OUTCOMES or type(outcome.revision) is not int or type(outcome.liked) is not bool:
            raise ValueError(f"unknown outcome {outcome.outcome!r}")
        return outcome


@dataclass(frozen=True, slots=True)
class StoredLike:
    """A like as Admin stores it, and when it came."""

    like: LikeChanged
    received_at: datetime

    def encode(self) -> dict[str, Any]:
        return {**self.like.encode(), "received_at": format_time(self.received_at)}

    @classmethod
    def decode(cls, raw: Any) -> Self:
        return cls(LikeChanged.decode(raw), parse_time(raw["received_at"]))


@dataclass(frozen=True, slots=True)
class WrongCount:
    """A product whose count, ``shown``, is not ``actual``, the number of its likes, on one side."""

    product: int
    shown: int
    actual: int

    @classmethod
    def decode(cls, raw: Any) -> Self:
        return cls(int(raw["product"]), int(raw["shown"]), int(raw["actual"]))
