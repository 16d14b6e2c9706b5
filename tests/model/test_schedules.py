"""Random schedules of the real functions on SQLite and the embedded store, compared with the reference at each step.

``SCHEDULES`` sets how many run; scripts/faults runs many more than scripts/test.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.catalogue.models import Product
from admin.likes.models import LikeCount, ProductLike
from admin.outbox.models import ProductChange, Replication
from tests.flow.stores import sqlite_url, unique_name
from tests.flow.two_stores import two_stores
from tests.model import schedules
from tools.stack.servers.secantus import Secantus

_SCHEDULES = int(os.environ.get("SCHEDULES", "4"))
_FIRST_SEED = int(os.environ.get("FIRST_SEED", "0")) or random.SystemRandom().randrange(1 << 30)
_TABLES = (ProductLike, LikeCount, ProductChange, Replication, Product)


@pytest.fixture(scope="module")
def _stores(secantus: Secantus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("admin")
    with two_stores(sqlite_url(folder), secantus.url(unique_name())):
        yield


@pytest.mark.usefixtures("_stores")
def test_any_order_of_the_real_steps_leads_to_the_states_of_the_reference() -> None:
    for seed in range(_FIRST_SEED, _FIRST_SEED + _SCHEDULES):
        schedules.empty(_TABLES)
        schedule = schedules.Schedule(seed)
        try:
            schedule.run()
        except Exception as error:
            error.add_note(f"FIRST_SEED={seed} SCHEDULES=1 repeats it; steps: {' '.join(schedule.trace)}")
            raise
