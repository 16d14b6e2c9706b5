"""Passwords: rules, argon2id hashes, and the same time for a sign-in with or without an account."""

import base64
import unicodedata
from http import HTTPStatus

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION

from web.http.problems import ProblemError

MIN_LENGTH, MAX_LENGTH = 10, 200  # characters; NIST SP 800-63B: length, no composition rules
# zxcvbn's scores 0 and 1: common passwords and variants, found within a million guesses. It takes seconds for some long
# passwords, so it is given the first characters.
_WEAK, _SCORED = 1, 20

_hasher = PasswordHasher()


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


# Of no password: checked where there is no account, so that it takes as long. Built without hashing, as every command
# imports this module.
DUMMY_HASH = (
    f"$argon2id$v={ARGON2_VERSION}$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${_unpadded(bytes(_hasher.salt_len))}${_unpadded(bytes(_hasher.hash_len))}"
)


class WeakPasswordError(ProblemError):
    """The password is too short, too long, or easy to guess."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: str) -> None:
        super().__init__(f"This password cannot be used: it {reason}.", [{"field": "password", "detail": reason}])


def check(password: str, email: str) -> None:
    """Raises WeakPasswordError where ``password`` is too weak for the account of ``email``."""
    password = _normalise(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(f"must have {MIN_LENGTH} to {MAX_LENGTH} characters")
    if password.casefold() == email.casefold():
        raise WeakPasswordError("is the e-mail address")
    from zxcvbn import zxcvbn  # here: its word lists take 12 MB, in a process that sets no password too

    if zxcvbn(password[:_SCORED], [email, *email.split("@"), "lockstep"])["score"] <= _WEAK:
        raise WeakPasswordError("is easy to guess")


def hash_password(password: str) -> str:
    """Return the encoded argon2id hash."""
    return _hasher.hash(_normalise(password))


def matches(stored: str | None, password: str) -> bool:
    """Return whether ``password`` matches the hash ``stored``. Takes as long where ``stored`` is None."""
    try:
        _hasher.verify(stored or DUMMY_HASH, _normalise(password))
    except (Argon2Error, InvalidHashError):
        return False
    return bool(stored)


def _normalise(password: str) -> str:
    """Return ``password`` in NFKC, as keyboards encode some characters differently."""
    return unicodedata.normalize("NFKC", password)
