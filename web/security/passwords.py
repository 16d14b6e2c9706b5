"""Passwords: which are taken, argon2id, and the same time spent whether or not the account exists."""

import base64
import unicodedata
from http import HTTPStatus

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION
from zxcvbn import zxcvbn

from web.http.problems import ProblemError

MIN_LENGTH, MAX_LENGTH = 10, 200  # characters; NIST SP 800-63B: length, no composition rules
# zxcvbn's score of 0 and 1: common passwords and what is made of them, found within a million guesses. It takes
# seconds on long ones that are made for it, so it sees the beginning.
_WEAK, _LOOKED_AT = 1, 20

_hasher = PasswordHasher()


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


# Nobody's: refused after the same work as any other, and made without it, as every command imports this module.
NOBODYS = (
    f"$argon2id$v={ARGON2_VERSION}$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${_unpadded(bytes(_hasher.salt_len))}${_unpadded(bytes(_hasher.hash_len))}"
)


class WeakPasswordError(ProblemError):
    """A password that is too short, too long, or among the first that anyone would try."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: str) -> None:
        super().__init__(f"This password cannot be used: it {reason}.", [{"field": "password", "detail": reason}])


def check(password: str, email: str) -> None:
    """Raises WeakPasswordError where ``password`` should protect nobody's account, least that of ``email``."""
    password = _same_form(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(f"has to have {MIN_LENGTH} to {MAX_LENGTH} characters")
    if password.casefold() == email.casefold():
        raise WeakPasswordError("is the e-mail address")
    if zxcvbn(password[:_LOOKED_AT], [email, *email.split("@"), "lockstep"])["score"] <= _WEAK:
        raise WeakPasswordError("is one of the first that anyone would try")


def hash_password(password: str) -> str:
    """Return the encoded argon2id hash."""
    return _hasher.hash(_same_form(password))


def matches(stored: str | None, password: str) -> bool:
    """Return whether ``password`` is the one ``stored`` was made from; where there is none, it takes as long."""
    try:
        _hasher.verify(stored or NOBODYS, _same_form(password))
    except (Argon2Error, InvalidHashError):
        return False
    return bool(stored)


def _same_form(password: str) -> str:
    """Return what different keyboards type for the same characters (NFKC)."""
    return unicodedata.normalize("NFKC", password)
