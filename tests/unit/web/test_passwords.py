"""Hashing and checking passwords."""

from argon2 import PasswordHasher, extract_parameters

from web.security import passwords


def test_unknown_account_takes_as_long_as_a_known_one() -> None:
    assert extract_parameters(passwords.DUMMY_HASH) == extract_parameters(passwords.hash_password("a long password"))
    assert PasswordHasher().check_needs_rehash(passwords.DUMMY_HASH) is False
    assert not passwords.matches(None, "a long password")


def test_password_matches_in_every_unicode_form() -> None:
    stored = passwords.hash_password("crème brûlée forever")
    assert passwords.matches(stored, "cre\u0300me bru\u0302le\u0301e forever")
    assert not passwords.matches(stored, "creme brulee forever")
