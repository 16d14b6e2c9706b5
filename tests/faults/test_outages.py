"""Servers, connections and processes that fail under load."""

import random

import pytest

from tests.faults.conftest import Survives
from tools.faults.load import Load
from tools.faults.outages import FAULTS
from tools.faults.trial import continue_load
from tools.faults.world import World

SHORT = (
    "RabbitMQ restarted",
    "RabbitMQ kill -9",
    "RabbitMQ cut mid-confirm",
    "queues purged",
    "queues deleted",
    "MariaDB restarted",
    "MariaDB connections KILLed",
    "MongoDB-wire server kill -9",
    "worker parent kill -9",
    "Admin answers 500",
)
LONGEST_REQUEST = 2.0  # seconds; scripts/faults checks the ratio to normal times
SCHEDULE = (
    "RabbitMQ connections cut",
    "RabbitMQ cut mid-confirm",
    "MariaDB connections cut",
    "MongoDB-wire server connections cut",
    "worker child kill -9",
    "worker kill -9, all of it",
    "relay kill -9",
    "Admin kill -9",
    "Client answers garbage",
)


@pytest.mark.parametrize("fault", SHORT)
def test_fault_under_load_loses_nothing(survives: Survives, fault: str) -> None:
    survives(FAULTS[fault])


@pytest.mark.parametrize("fault", ["RabbitMQ SIGSTOP", "RabbitMQ memory alarm"])
def test_silent_broker_slows_no_request(survives: Survives, fault: str) -> None:
    slowest = []

    def measured(world: World, load: Load) -> None:
        healthy = len(load.took)
        FAULTS[fault](world, load)
        slowest.append(max(seconds for _kind, seconds in load.took[healthy:]))

    survives(measured)
    assert slowest[0] < LONGEST_REQUEST


def test_random_schedule_of_faults_loses_nothing(survives: Survives) -> None:
    def schedule(world: World, load: Load) -> None:
        chance = random.Random(load.seed)
        for fault in chance.sample(SCHEDULE, 3):
            print("fault:", fault)
            FAULTS[fault](world, load)
            world.repair()
            continue_load(load, chance.random())

    survives(schedule)
