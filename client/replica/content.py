"""Reads documents of the copy for verification, comparisons and the shop.

A document may have been edited by hand. A malformed one raises nothing: its problem is returned, so that the other
documents are read.
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
# The fields to read: all but the search terms, and no unknown ones.
FIELDS = dict.fromkeys(("_id", "sequence", "deleted", "checksum", "applied_at", "likes", *CONTENT_NAMES), 1)


def document_of(product: ProductContent) -> dict[str, Any]:
    """Return the fields in which ``product`` is stored."""
    return {
        **{name: getattr(product, name) for name in CONTENT_NAMES},
        "price": Decimal128(product.price),
        "created_at": parse_time(product.created_at),
        "updated_at": parse_time(product.updated_at),
        "search_terms": terms_of(product.title, product.sku, product.category),
    }


def content_of(document: dict[str, Any]) -> dict[str, str]:
    """Return the content in ``document``, empty for a tombstone.

    A value of a wrong type is shown with its type.
    """
    return {name: _text(name, document[name]) for name in CONTENT_NAMES if name in document}


def id_of(document: dict[str, Any]) -> int | None:
    """Return the product's id, None where ``_id`` is not a whole number."""
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
    """Return the sequence in ``document``, 0 where it is malformed."""
    sequence: Any = document.get("sequence")
    return int(sequence) if _is_int(sequence) else 0


def checksum_of(document: dict[str, Any]) -> str:
    """Compute the checksum of the content in ``document``; MALFORMED_CHECKSUM where the document is malformed.

    The field ``checksum`` is not used: a manual edit does not change it.
    """
    return _read(document)[0]


def problem_in(document: dict[str, Any]) -> str | None:
    """Return why ``document`` is malformed, None where it is not."""
    return _read(document)[1]


def applied_at_of(document: dict[str, Any]) -> datetime | None:
    """Return when the state was applied, None where it is missing."""
    applied = document.get("applied_at")
    return applied if isinstance(applied, datetime) else None


def failure_of(document: dict[str, Any]) -> tuple[int, str | None]:
    """Return the refused sequence and the reason from a document of ``sync_failures``."""
    reason = document.get("reason")
    return sequence_of(document), reason if isinstance(reason, str) else None


def entry_of(document: dict[str, Any]) -> Entry:
    """Return id, sequence and checksum of ``document``, which has a product's id."""
    return Entry(id_of(document) or 0, sequence_of(document), checksum_of(document))


def _read(document: dict[str, Any]) -> tuple[str, str | None]:
    """Return the checksum of the content, and why the document is malformed."""
    if id_of(document) is None:
        return MALFORMED_CHECKSUM, f"_id is {_describe(document, '_id')}, not a whole number"
    for name, (fits, expected) in _OTHER_FIELDS.items():
        if not fits(document.get(name)):
            return MALFORMED_CHECKSUM, f"{name} is {_describe(document, name)}, not {expected}"
    for name in CONTENT_NAMES:
        if name in document and not _has_type(name, document[name]):
            return MALFORMED_CHECKSUM, f"{name} is {_describe(document, name)}"
    content = content_of(document)
    if document["deleted"]:
        return (MALFORMED_CHECKSUM, "it is deleted, but has content") if content else (DELETED_CHECKSUM, None)
    if not _is_int(document.get("likes")):
        return MALFORMED_CHECKSUM, f"likes is {_describe(document, 'likes')}, not a whole number"
    try:
        return ProductContent.decode(content).checksum(), None
    except ValueError as error:
        return MALFORMED_CHECKSUM, str(error)


def _has_type(name: str, value: Any) -> bool:
    """Return whether ``value`` has the type of the content's field ``name``."""
    return isinstance(value, _TYPES.get(name, str))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# The fields beside the content.
_OTHER_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sequence": (_is_int, "a whole number"),
    "deleted": (lambda value: isinstance(value, bool), "true or false"),
    "checksum": (lambda value: isinstance(value, str), "a text"),
    "applied_at": (lambda value: value is None or isinstance(value, datetime), "a time"),
}


def _describe(document: dict[str, Any], name: str) -> str:
    return f"of type {type(document[name]).__name__}" if name in document else "missing"


def _text(name: str, value: Any) -> str:
    if _has_type(name, value):
        return format_time(value) if isinstance(value, datetime) else str(value)
    return f"“{value}” (text)" if isinstance(value, str) else f"{value!r} ({type(value).__name__})"
