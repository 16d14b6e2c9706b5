"""Each process killed between its steps, under load."""

import pytest

from faults.tours import tour
from tests.faults.conftest import Survives

TOURS = {
    "admin": (
        "after:admin.replication.outbox:record",
        "before:admin.replication.courier:offer",
        "after:tasks.publisher:Publisher.publish",
        "after:admin.likes.service:take",
    ),
    "relay": (
        "after:admin.replication.claims:claim",
        "after:admin.replication.client_gateway:ClientGateway.held",
        "after:admin.replication.verify:_prove",
    ),
    "worker": (
        "before:client.products.replicate:write",
        "after:client.products.replicate:write",
        "after:client.admin_gateway:AdminGateway.send_likes",
    ),
    "client": ("after:client.likes.service:_toggle", "after:client.likes.count:_count_batch"),
}


@pytest.mark.parametrize("process", TOURS)
def test_process_killed_between_its_steps_loses_nothing(survives: Survives, process: str) -> None:
    survives(tour(process, TOURS[process]), writes=20)


def test_relay_killed_while_it_sends_loses_nothing(survives: Survives) -> None:
    points = ["before:tasks.publisher:Publisher.publish", "after:admin.replication.dispatch:send"]
    survives(tour("relay", points, nothing_arrives=True), writes=20)


def test_worker_killed_with_its_parent_loses_nothing(survives: Survives) -> None:
    survives(tour("worker", ["after:client.products.replicate:write"], whole_group=True), writes=20)
