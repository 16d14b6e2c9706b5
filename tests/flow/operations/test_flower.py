"""Flower: access, the list of tasks, its state after a restart, and read-only mode."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from celery.events.event import get_exchange
from kombu import Connection, Queue

from tests.flow.operations.operated import Operated
from tests.flow.running import eventually
from tests.flow.stores import unique_name
from tools.stack.ports import free_port
from tools.stack.process import Process
from tools.stack.product import FLOWER_USER


def auth(operated: Operated) -> tuple[str, str]:
    return FLOWER_USER, operated.product.env["FLOWER_BASIC_AUTH"].partition(":")[2]


def listed(operated: Operated) -> list[dict[str, Any]]:
    """Return the rows of the tasks page, as its script requests them."""
    wanted = {"draw": 1, "start": 0, "length": 500, "order[0][column]": 0, "columns[0][data]": "received"}
    url = f"{operated.product.addresses.flower_url}/tasks/datatable"
    rows: list[dict[str, Any]] = requests.get(url, params=wanted, auth=auth(operated), timeout=10).json()["data"]
    return rows


def arguments(operated: Operated) -> set[str]:
    return {row["args"] for row in listed(operated)}


def test_arguments_are_product_and_version(operated: Operated) -> None:
    product = operated.create()
    eventually(lambda: f"{product}@v1" in arguments(operated), what="the product's task")
    page = requests.get(f"{operated.product.addresses.flower_url}/tasks", auth=auth(operated), timeout=10).text
    assert page.index("args") < page.index("Routing Key")


def test_events_of_one_task_travel_together(operated: Operated) -> None:
    bodies: list[Any] = []
    with Connection(operated.product.addresses.broker_url) as connection:
        queue = Queue(unique_name(), get_exchange(connection), routing_key="#", exclusive=True)
        with connection.Consumer(queue, callbacks=[lambda body, _message: bodies.append(body)], no_ack=True):
            product = operated.create()
            deadline = time.monotonic() + 30
            while not (found := events_of(f"{product}@v1", bodies)) or "task-succeeded" not in found[-1]:
                assert time.monotonic() < deadline, bodies
                with suppress(TimeoutError):
                    connection.drain_events(timeout=1)
    seen = sorted(kind for kinds in found for kind in kinds)
    assert seen == ["task-received", "task-sent", "task-started", "task-succeeded"]
    assert len(found) < 4, "a message for each event"


def events_of(arguments: str, bodies: list[Any]) -> list[list[str]]:
    """Return the types of the events of the task with ``arguments``, a list for each message."""
    messages = [body if isinstance(body, list) else [body] for body in bodies]
    ids = {event["uuid"] for events in messages for event in events if arguments in (event.get("args") or "")}
    found = [[event["type"] for event in events if event.get("uuid") in ids] for events in messages]
    return [types for types in found if types]


def test_tasks_survive_a_restart(operated: Operated) -> None:
    product = operated.create()
    eventually(lambda: f"{product}@v1" in arguments(operated), what="the product's task")
    operated.product.flower.stop()
    operated.product.flower.start()
    operated.product.flower.wait_ready()
    assert f"{product}@v1" in arguments(operated)


def test_without_a_password_it_does_not_start(operated: Operated) -> None:
    env = {name: value for name, value in operated.product.env.items() if name != "FLOWER_BASIC_AUTH"}
    for wrong in ({}, {"FLOWER_BASIC_AUTH": "operator"}):
        process = another(operated, operated.folder / "open", env | wrong)
        process.start()
        eventually(lambda: not process.running, what="its end")  # noqa: B023 - asked at once
        process.stop()
        assert "FLOWER_BASIC_AUTH" in process.account("ended")


def test_read_only_flower_shows_tasks_and_refuses_changes(operated: Operated, tmp_path: Path) -> None:
    """Its password comes from a file, as in docker-compose.yml."""
    secret = tmp_path / "flower_basic_auth"
    secret.write_text("visitor:of-the-read-only-one\n")
    env = {name: value for name, value in operated.product.env.items() if name != "FLOWER_BASIC_AUTH"}
    env |= {"FLOWER_BASIC_AUTH_FILE": str(secret), "FLOWER_READ_ONLY": "true"}
    flower = another(operated, tmp_path, env)
    url = flower.command[-1].replace("--port=", "http://127.0.0.1:")
    with requests.Session() as session:
        session.auth = ("visitor", "of-the-read-only-one")
        try:
            flower.start()
            eventually(lambda: answers(session, f"{url}/api/workers"), what="Flower")
            for path in ("task/send-task/tasks.resync_product", "worker/shutdown/worker@lockstep"):
                assert session.post(f"{url}/api/{path}", json={"args": [1]}, timeout=10).status_code == 403, path
        finally:
            flower.stop()


def another(operated: Operated, folder: Path, env: dict[str, str]) -> Process:
    """Return a second Flower on its own port, not started."""
    folder.mkdir(exist_ok=True)
    known = operated.product.flower
    command = [*known.command[:4], "--persistent=true", f"--db={folder / 'flower'}", "--address=127.0.0.1"]
    return Process("Flower", [*command, f"--port={free_port()}"], log=folder / "flower.log", env=env, cwd=known.cwd)


def answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
