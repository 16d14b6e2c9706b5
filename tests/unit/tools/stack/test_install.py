"""The one-line explanation of a failed installation."""

import re

import pytest

from tools.stack.demo import install

BROKEN = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<Connection object at 0x1>: "
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/alembic/\n"
    "ERROR: Could not find a version that satisfies the requirement alembic==1.0 (from versions: none)\n"
)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (BROKEN, "cannot be reached.*[.] Failed to establish a new connection: .* name resolution [(]log"),
        ("ERROR: No matching distribution (from versions: none)", "cannot be reached"),
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the file that demo.txt names"),
        ("Collecting a\nERROR: the compiler is missing\nnotice: a new pip", "installing failed: ERROR: the compiler"),
        ("", "installing failed"),
    ],
)
def test_failure_is_explained(output: str, reason: str) -> None:
    assert re.search(reason, install._explain(output))
