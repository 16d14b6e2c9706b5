"""Starting without garbage collection."""

import gc

import pytest

from runtime.imports import without_collector


def test_collector_works_again_after_the_block_and_leaves_out_what_it_made() -> None:
    with without_collector():
        assert not gc.isenabled()
        made = [{"made": number} for number in range(100)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(made)
    assert not any(found is made for found in gc.get_objects())
    gc.unfreeze()


def test_collector_works_again_after_an_error() -> None:
    with pytest.raises(ImportError), without_collector():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()
