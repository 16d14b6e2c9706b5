"""Passwords: argon2id, and the same time spent whether or not the account exists."""

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MIN_LENGTH, MAX_LENGTH = 10, 200  # characters; NIST SP 800-63B: length, no composition rules

_hasher = PasswordHasher()
_dummy = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the encoded argon2id hash."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Return whether ``password`` is the one ``stored`` was made from; None (no such account) takes as long."""
    try:
        _hasher.verify(stored or _dummy, password)
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None
