from hypothesis import given
from hypothesis import strategies as st

from contract.versions import MAX_SEQUENCE, compose, epoch_of, version_of

EPOCHS, VERSIONS = st.integers(0, 2**22), st.integers(1, 2**31)


@given(EPOCHS, VERSIONS)
def test_sequence_returns_the_epoch_and_version_it_was_made_of(epoch: int, version: int) -> None:
    sequence = compose(epoch, version)
    assert (epoch_of(sequence), version_of(sequence)) == (epoch, version)
    assert 0 < sequence <= MAX_SEQUENCE


@given(EPOCHS, VERSIONS, VERSIONS)
def test_every_sequence_of_a_later_epoch_is_newer(epoch: int, old: int, new: int) -> None:
    assert compose(epoch + 1, new) > compose(epoch, old)
