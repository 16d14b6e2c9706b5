"""``sequence``: one integer that decides which of two states of a product is newer.

``sequence = epoch * 2**40 + version``. ``version`` counts the changes of one product from 1. ``epoch`` is raised after
a database was restored from a backup, so that every state sent afterwards is newer than all states sent before.
"""

_VERSION_BITS = 40
_VERSION_MASK = (1 << _VERSION_BITS) - 1
MAX_SEQUENCE = (1 << 63) - 1  # BIGINT in MySQL, int64 in BSON
MAX_EPOCH = MAX_SEQUENCE >> _VERSION_BITS


def compose(epoch: int, version: int) -> int:
    """Return the sequence of ``version`` (from 1) in ``epoch`` (from 0)."""
    return (epoch << _VERSION_BITS) | version


def version_of(sequence: int) -> int:
    """Return the product's version, as pages show it."""
    return sequence & _VERSION_MASK


def epoch_of(sequence: int) -> int:
    """Return the epoch of ``sequence``."""
    return sequence >> _VERSION_BITS


def label(product_id: int, sequence: int) -> str:
    """Return the name of a product's state in Flower and in logs: ``42@v3``."""
    return f"{product_id}@v{version_of(sequence)}"
