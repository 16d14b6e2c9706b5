"""Digests: both services must compute the same hash for the same products, also in later versions."""

import hashlib

import pytest

from contract.digests import BUCKET, Digest, Entry, digests

ENTRIES = [Entry(1, 1, "a"), Entry(2, 7, ""), Entry(BUCKET, 3, "c"), Entry(5 * BUCKET + 1, 1, "d")]


def test_digests_are_made_by_bucket_without_empty_buckets() -> None:
    assert [(digest.bucket, digest.size) for digest in digests(ENTRIES)] == [(0, 2), (1, 1), (5, 1)]


def test_digest_is_one_hash_of_ids_sequences_and_checksums() -> None:
    expected = hashlib.blake2b(b"1:1:a\n2:7:\n", digest_size=16).hexdigest()
    assert next(digests(ENTRIES)) == Digest(0, 2, expected)


@pytest.mark.parametrize(
    "other",
    [[Entry(1, 1, "b"), ENTRIES[1]], [Entry(1, 2, "a"), ENTRIES[1]], [Entry(3, 1, "a"), ENTRIES[1]], ENTRIES[:1]],
)
def test_other_content_sequence_or_id_has_another_digest(other: list[Entry]) -> None:
    assert next(digests(other)) != next(digests(ENTRIES))


def test_ids_below_zero_have_buckets_too() -> None:
    assert [digest.bucket for digest in digests([Entry(-BUCKET - 1, 1, ""), Entry(-1, 1, ""), *ENTRIES])][:3] == [
        -2,
        -1,
        0,
    ]
    assert list(digests([])) == []
