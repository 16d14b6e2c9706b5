"""What a document of the copy says, in the contract's terms: what verifying, comparing and the shop read.

A document may have been written by anybody. Nothing here raises for one that is malformed: it is named, with the
reason, and its neighbours are read.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bson import Decimal128

from contract.digests import Entry
from contract.messages import (
    CONTENT_NAMES,
    DELETED_CHECKSUM,
    MALFORMED_CHECKSUM,
    ProductContent,
    format_time,
    parse_time,
)
from contract.search_terms import terms_of

_TYPES = {"price": Decimal128, "created_at": datetime, "updated_at": datetime}  # the others are strings
# What is read of a document: all but its search terms, and nothing that a stranger added to it.
FIELDS = dict.fromkeys(("_id", "sequence", "deleted", "checksum", "applied_at", "likes", *CONTENT_NAMES), 1)


def document_of(product: ProductContent) -> dict[str, Any]:
    """Return the content as it is stored."""
    return {
        **{name: getattr(product, name) for name in CONTENT_NAMES},
        "price": Decimal128(product.price),
        "created_at": parse_time(product.created_at),
        "updated_at": parse_time(product.updated_at),
        "search_terms": terms_of(product.title, product.sku, product.category),
    }


def content_of(document: dict[str, Any]) -> dict[str, str]:
    """Return what ``document`` holds of a product's content; nothing for a tombstone.

    A value of a type that we never write is shown with that type, and so never looks right.
    """
    return {name: _text(name, document[name]) for name in CONTENT_NAMES if name in document}


def id_of(document: dict[str, Any]) -> int | None:
    """Return the product's id; None where ``_id`` is no whole number, and so no product's."""
    value = document["_id"]
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    if isinstance(value, bool | str | bytes):
        return None
    try:
        return int(value) if value == int(value) else None
    except (TypeError, ValueError, ArithmeticError):
        return None


def sequence_of(document: dict[str, Any]) -> int:
    """Return the sequence that ``document`` holds, 0 where it is no whole number, which only a hand could write."""
    sequence: Any = document.get("sequence")
    return int(sequence) if _is_int(sequence) else 0


def checksum_of(document: dict[str, Any]) -> str:
    """Return the checksum of what is really there, whatever ``checksum`` the document names; MALFORMED_CHECKSUM where
    no message of ours could have made the document.

    An edit past Lockstep's back leaves the stored checksum as it was; this one it changes.
    """
    return _read(document)[0]


def problem_in(document: dict[str, Any]) -> str | None:
    """Return why no message of ours could have made ``document``, None for a well-formed one."""
    return _read(document)[1]


def applied_at_of(document: dict[str, Any]) -> datetime | None:
    """Return when the state was applied, None where the document does not say."""
    applied = document.get("applied_at")
    return applied if isinstance(applied, datetime) else None


def failure_of(document: dict[str, Any]) -> tuple[int, str | None]:
    """Return the sequence that was refused, and why, as a document of ``sync_failures`` says."""
    reason = document.get("reason")
    return sequence_of(document), reason if isinstance(reason, str) else None


def entry_of(document: dict[str, Any]) -> Entry:
    """Return what ``document``, which has a product's id, holds."""
    return Entry(id_of(document) or 0, sequence_of(document), checksum_of(document))


def _read(document: dict[str, Any]) -> tuple[str, str | None]:
    """Return the checksum of the content, and what is wrong with the document."""
    if id_of(document) is None:
        return MALFORMED_CHECKSUM, f"_id is {_shown(document, '_id')}, not a whole number"
    for name, (fits, expected) in _BESIDE.items():
        if not fits(document.get(name)):
            return MALFORMED_CHECKSUM, f"{name} is {_shown(document, name)}, not {expected}"
    for name in CONTENT_NAMES:
        if name in document and not _is_ours(name, document[name]):
            return MALFORMED_CHECKSUM, f"{name} is {_shown(document, name)}"
    content = content_of(document)
    if document["deleted"]:
        return (MALFORMED_CHECKSUM, "it is deleted, but has content") if content else (DELETED_CHECKSUM, None)
    if not _is_int(document.get("likes")):
        return MALFORMED_CHECKSUM, f"likes is {_shown(document, 'likes')}, not a whole number"
    try:
        return ProductContent.decode(content).checksum(), None
    except ValueError as error:
        return MALFORMED_CHECKSUM, str(error)


def _is_ours(name: str, value: Any) -> bool:
    """Whether ``value`` is of the type that a field of the content is written with."""
    return isinstance(value, _TYPES.get(name, str))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# What stands beside the content.
_BESIDE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sequence": (_is_int, "a whole number"),
    "deleted": (lambda value: isinstance(value, bool), "true or false"),
    "checksum": (lambda value: isinstance(value, str), "a text"),
    "applied_at": (lambda value: value is None or isinstance(value, datetime), "a time"),
}


def _shown(document: dict[str, Any], name: str) -> str:
    return f"of type {type(document[name]).__name__}" if name in document else "missing"


def _text(name: str, value: Any) -> str:
    if _is_ours(name, value):
        return format_time(value) if isinstance(value, datetime) else str(value)
    return f"“{value}” (text)" if isinstance(value, str) else f"{value!r} ({type(value).__name__})"
