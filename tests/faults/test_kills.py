"""Each process is killed between its steps under load."""

import pytest

from tests.faults.conftest import Survives
from tools.faults.tours import tour

TOURS = {
    "admin": (
        "after:admin.db.writes:execute",
        "before:admin.outbox.eager_publisher:offer",
        "after:contract.publisher:Publisher.publish",
        "after:admin.likes.service:apply_likes",
    ),
    "relay": (
        "after:admin.relay.claims:claim",
        "after:admin.outbox.client_gateway:ClientGateway.replica_states",
        "after:admin.relay.verify:_mark_verified",
    ),
    "worker": (
        "before:client.replica.apply:write",
        "after:client.replica.apply:write",
        "after:client.admin_gateway:AdminGateway.send_likes",
    ),
    "client": ("after:client.likes.service:_toggle", "after:client.likes.count:_count_batch"),
}


@pytest.mark.parametrize("process", TOURS)
def test_process_killed_between_its_steps_loses_nothing(survives: Survives, process: str) -> None:
    survives(tour(process, TOURS[process]), writes=20)


def test_relay_killed_while_it_sends_loses_nothing(survives: Survives) -> None:
    points = ["before:contract.publisher:Publisher.publish", "after:admin.outbox.dispatch:send"]
    survives(tour("relay", points, worker_paused=True), writes=20)


def test_worker_killed_with_its_parent_loses_nothing(survives: Survives) -> None:
    survives(tour("worker", ["after:client.replica.apply:write"], whole_group=True), writes=20)
