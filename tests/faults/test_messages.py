"""Messages that no orderly run would see."""

from tests.faults.conftest import Survives
from tools.faults import messages
from tools.faults.stores import compare
from tools.faults.world import World


def test_messages_doubled_reordered_late_and_in_pieces_change_nothing(survives: Survives) -> None:
    survives(messages.garbled)


def test_malformed_messages_end_among_the_dead_letters_and_their_neighbours_arrive(survives: Survives) -> None:
    survives(messages.malformed)


def test_message_copied_before_its_product_was_deleted_brings_nothing_back(tried: World) -> None:
    assert messages.old_message_after_deletes(tried, 10) == []
    assert not compare(tried.admin_store, tried.client_store)
