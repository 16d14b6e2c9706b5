"""Every state of the replication has one text, and a command in it can be typed."""

from admin.monitoring.metrics import STATES
from admin.monitoring.state_texts import STATE_TEXTS
from tests.contract.test_operations import refused


def test_every_state_has_a_text() -> None:
    assert sorted(STATE_TEXTS) == sorted(STATES)


def test_commands_in_the_texts_can_be_typed() -> None:
    commands = [text.command for text in STATE_TEXTS.values() if text.command]
    assert commands
    assert [command for command in commands if refused(command)] == []
