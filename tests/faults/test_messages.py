"""Duplicated, malformed and late messages under load."""

from tests.faults.conftest import Survives
from tools.faults import messages
from tools.faults.stores import compare
from tools.faults.world import World


def test_duplicated_reordered_late_and_truncated_messages_change_nothing(survives: Survives) -> None:
    survives(messages.garbled)


def test_malformed_messages_become_dead_letters_and_others_are_applied(survives: Survives) -> None:
    survives(messages.malformed)


def test_message_from_before_a_delete_does_not_restore_the_product(tried: World) -> None:
    assert messages.old_message_after_deletes(tried, 10) == []
    assert not compare(tried.admin_store, tried.client_store)
