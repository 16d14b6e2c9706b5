"""What a document of the copy says, read back into the contract's terms: what proofs and comparisons look at."""

from datetime import datetime
from typing import Any

from bson import Decimal128

from tasks.messages import CONTENT_NAMES, DELETED_CHECKSUM, ProductContent, format_time, parse_time
from web.words import terms_of

_TYPES = {"price": Decimal128, "created_at": datetime, "updated_at": datetime}  # the others are strings
UNREADABLE = "unreadable"  # the checksum of a document that no message of ours could have made


def document_of(product: ProductContent) -> dict[str, Any]:
    """Return the content as it is stored."""
    return {
        **{name: getattr(product, name) for name in CONTENT_NAMES},
        "price": Decimal128(product.price),
        "created_at": parse_time(product.created_at),
        "updated_at": parse_time(product.updated_at),
        "words": terms_of(product.title, product.sku, product.category),
    }


def content_of(document: dict[str, Any]) -> dict[str, str]:
    """Return what ``document`` holds of a product's content; nothing for a tombstone.

    A value of a type that we never write is shown with that type, and so never looks right.
    """
    return {name: _text(name, document[name]) for name in CONTENT_NAMES if name in document}


def checksum_of(document: dict[str, Any]) -> str:
    """Return the checksum of what is really there, whatever ``checksum`` the document names.

    An edit past Lockstep's back leaves the stored checksum as it was; this one it changes.
    """
    content = content_of(document)
    if document.get("deleted"):
        return UNREADABLE if content else DELETED_CHECKSUM
    try:
        return ProductContent.decode(content).checksum()
    except ValueError:
        return UNREADABLE


def _text(name: str, value: Any) -> str:
    if isinstance(value, _TYPES.get(name, str)):
        return format_time(value) if isinstance(value, datetime) else str(value)
    return f"“{value}” (text)" if isinstance(value, str) else f"{value!r} ({type(value).__name__})"
