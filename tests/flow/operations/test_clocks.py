"""Hosts with different clocks: offsets up to a minute are tolerated, larger ones are reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pymongo

from tests.flow.operations.operated import Operated
from tests.flow.running import eventually
from tools.stack import clock
from tools.stack.process import Process

NODE = "worker@lockstep"


@contextmanager
def clock_ahead(process: Process, seconds: int) -> Iterator[None]:
    clock.shift(process, seconds)
    process.restart()
    try:
        yield
    finally:
        clock.shift(process, 0)
        process.restart()


def test_sweep_and_service_calls_work_with_a_worker_whose_clock_is_45_seconds_ahead(operated: Operated) -> None:
    product = operated.create()
    eventually(lambda: operated.arrived(product))
    operated.await_beat()
    with clock_ahead(operated.product.worker, 45):
        url = operated.product.env["CLIENT_MONGODB_URL"]
        with pymongo.MongoClient[dict[str, object]](url, timeoutMS=10_000) as store:
            # As after a crash of the web process right after its write: only the sweep knows of it.
            likes = store.get_default_database()["likes"]
            like = {"_id": f"{product}:lost", "product": product, "user": "lost", "liked": True, "revision": 1}
            likes.insert_one({**like, "at": datetime.now(UTC), "pending": True, "uncounted": True})
            eventually(lambda: likes.count_documents({"user": "lost", "pending": True}) == 0, what="the sweep")
        assert operated.lockstep("health", "worker", "--node", NODE).returncode == 0
        doctor = operated.lockstep("doctor")
        assert (doctor.returncode, f"WARNING {NODE}'s clock" in doctor.stdout) == (0, True), doctor.stdout


def test_worker_whose_clock_is_more_than_a_minute_ahead_is_reported(operated: Operated) -> None:
    with clock_ahead(operated.product.worker, 90):
        worker = operated.lockstep("health", "worker", "--node", NODE)
        beat = operated.lockstep("health", "beat", "--schedule", str(operated.folder / "beat"))
        doctor = operated.lockstep("doctor")
    assert (worker.returncode, beat.returncode, doctor.returncode) == (1, 1, 1)
    for said in (worker.stderr, beat.stderr):
        assert "s ahead of this host's" in said
    assert f"FAILED  {NODE}'s clock" in doctor.stdout
