"""Declared, published and consumed queues are the same; every task has a name, a body and a queue."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from admin.console import parts
from client import heartbeat
from client.storefront import delays
from contract import names, topology

QUEUES = {value for key, value in vars(names).items() if key.startswith("QUEUE_")}
TASKS = {value for key, value in vars(names).items() if key.isupper() and str(value).startswith("tasks.")}


@pytest.fixture(scope="module")
def worker_view() -> dict[str, Any]:
    """The queues and tasks of a worker, read from the real application in a separate process."""
    script = (
        "import json, tasks; app = tasks.celery; tasks.import_bodies();"
        "print(json.dumps({'queues': sorted(app.amqp.queues), 'tasks': sorted(app.tasks),"
        " 'routed': {t: r['queue'] for t, r in app.conf.task_routes.items()},"
        " 'beat': {e['task']: e['schedule'] for e in app.conf.beat_schedule.values()}}))"
    )
    environment = {**os.environ, "CELERY_BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1//"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    view: dict[str, Any] = json.loads(done.stdout)
    return view


def test_workers_consume_exactly_the_declared_work_queues(worker_view: dict[str, Any]) -> None:
    assert set(worker_view["queues"]) == {queue.name for queue in topology.WORK_QUEUES}
    assert set(worker_view["queues"]) == QUEUES - {names.QUEUE_DEAD}


def test_every_named_task_has_a_body_and_a_consumed_queue(worker_view: dict[str, Any]) -> None:
    assert set(worker_view["tasks"]) >= TASKS
    assert set(worker_view["routed"]) == TASKS
    assert set(worker_view["routed"].values()) <= set(worker_view["queues"])


def test_beat_schedules_only_tasks_that_exist(worker_view: dict[str, Any]) -> None:
    assert set(worker_view["beat"]) <= TASKS


def test_periodic_tasks_are_few(worker_view: dict[str, Any]) -> None:
    """They push the syncs out of Flower's list, and an idle system pays for them."""
    assert sum(1 / seconds for seconds in worker_view["beat"].values()) <= 0.2


def test_part_is_reported_late_after_three_missed_heartbeats_of_beat_at_the_earliest(
    worker_view: dict[str, Any],
) -> None:
    every = worker_view["beat"]
    assert delays.LATE_AFTER[heartbeat.WORKER].total_seconds() >= 3 * every[names.FORWARD_LIKES]
    assert parts.MAX_AGE.total_seconds() >= 3 * every[names.COLLECT_DEAD_LETTERS]


@pytest.mark.parametrize("queue", topology.WORK_QUEUES, ids=lambda queue: queue.name)
def test_work_queues_lose_nothing(queue: topology.Queue) -> None:
    assert queue.durable
    assert queue.exchange.type == "topic"
    assert queue.queue_arguments["x-queue-type"] == "quorum"
    assert queue.queue_arguments["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("queue", topology.PRODUCT_QUEUES, ids=lambda queue: queue.name)
def test_product_queues_dead_letter_rejected_messages(queue: topology.Queue) -> None:
    assert queue.queue_arguments["x-dead-letter-exchange"] == topology.DEAD_LETTERS.exchange.name
    assert queue.queue_arguments["x-dead-letter-strategy"] == "at-least-once"


def test_names_and_messages_need_no_celery() -> None:
    script = "import sys, contract.names, contract.messages; sys.exit('celery' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
