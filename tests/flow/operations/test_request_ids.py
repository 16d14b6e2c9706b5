"""The logs of all processes show every step of a change and of a like under one request id."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.flow.operations.operated import Operated
from tests.flow.running import eventually
from tests.flow.stores import CONTENT, unique_name


def grep(operated: Operated, request_id: str) -> list[dict[str, Any]]:
    """Return the log lines with ``request_id`` of all processes, ordered by time, with their process."""
    found = [
        {"process": log.stem, **json.loads(line)}
        for log in (operated.folder / "logs").glob("*.log")
        for line in log.read_text(encoding="utf-8").splitlines()
        if request_id in line
    ]
    return sorted(found, key=lambda line: str(line["timestamp"]))


def story(operated: Operated, request_id: str) -> list[tuple[str, str]]:
    return [(line["process"], line["event"]) for line in grep(operated, request_id)]


def tells(operated: Operated, request_id: str, expected: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Wait until all of ``expected`` is logged, and return the lines."""

    def missing() -> set[tuple[str, str]]:
        return set(expected) - set(story(operated, request_id))

    eventually(lambda: not missing(), what=f"{missing()} beside {story(operated, request_id)}")
    return grep(operated, request_id)


def create(operated: Operated, request_id: str) -> int:
    content = {**CONTENT, "sku": unique_name()}
    headers = {"X-Request-ID": request_id}
    answer = operated.admin.request("POST", "/api/v1/products", json=content, headers=headers)
    assert answer.headers["X-Request-ID"] == request_id
    return int(answer.json()["id"])


def test_request_id_finds_every_step_of_a_change(operated: Operated) -> None:
    request_id = f"change-{unique_name()}"
    product = create(operated, request_id)
    told = [
        ("admin", "committed"),
        ("admin", "request"),
        ("worker", "received"),
        ("worker", "applied"),
        ("relay", "verified"),
    ]
    lines = tells(operated, request_id, told)
    assert {"admin", "relay"} & {line["process"] for line in lines if line["event"] == "sent"}
    label = f"{product}@v1"
    assert all(label in line["items"] for line in lines if line["event"] != "request")
    sent = {line["task_id"] for line in lines if line["event"] == "sent"}
    received = {line["task_id"] for line in lines if line["event"] == "received"}
    assert received == sent
    order = [line["event"] for line in lines]
    assert order.index("committed") < order.index("received") < order.index("applied") < order.index("verified")


def test_replaced_change_is_logged_as_verified_too(operated: Operated) -> None:
    first, second = f"first-{unique_name()}", f"second-{unique_name()}"
    operated.product.worker.pause()
    try:
        product = create(operated, first)
        change = {"headers": {"If-Match": '"1"', "X-Request-ID": second}, "json": {"price": "3.50"}}
        operated.admin.request("PATCH", f"/api/v1/products/{product}", **change)
    finally:
        operated.product.worker.resume()
    for request_id in (first, second):
        tells(operated, request_id, [("admin", "committed"), ("relay", "verified")])


def test_request_id_finds_every_step_of_a_like(operated: Operated) -> None:
    product, request_id = operated.create(), f"like-{unique_name()}"
    eventually(lambda: operated.arrived(product))
    operated.client.request("PUT", f"/api/v1/products/{product}/likes/me", headers={"X-Request-ID": request_id})
    told = [
        ("client", "like stored"),
        ("client", "request"),
        ("worker", "likes forwarded"),
        ("admin", "likes applied"),
        ("worker", "likes answered"),
    ]
    lines = tells(operated, request_id, told)
    # The call between the services is found by the task that made it.
    [task] = {line["task_id"] for line in lines if line["event"] == "likes forwarded"}
    assert ("admin", "request") in story(operated, task)


def test_import_logs_few_lines_with_one_id(operated: Operated) -> None:
    rows, name = 600, unique_name()
    file = operated.folder / f"{name}.csv"
    products = "".join(f"{name}-{n},Mug {n},2.50,EUR,Kitchen\n" for n in range(rows))
    file.write_text("sku,title,price,currency,category\n" + products, encoding="utf-8")
    done = operated.lockstep("import", str(file))
    [request_id] = re.findall(r"Request id in the logs: ([0-9a-f]{32})", done.stderr)

    def verified() -> Iterator[str]:
        for line in grep(operated, request_id):
            if line["event"] == "verified":
                yield from line["items"]

    eventually(lambda: len(set(verified())) == rows, what="all verified")
    lines = grep(operated, request_id)
    assert sum(line["event"] == "sent" for line in lines) <= 15  # a line for each task of fifty
    assert len(lines) < rows / 2
    assert max(len(json.dumps(line)) for line in lines) < 16_000


def test_request_id_finds_every_step_of_an_uploaded_import(operated: Operated) -> None:
    name = unique_name()
    file = f"sku,title,price,currency,category\n{name},Mug,2.50,EUR,Kitchen\n"
    answer = operated.admin.request("POST", "/api/v1/imports", files={"file": ("mugs.csv", file)})
    told = [
        ("admin", "import submitted"),
        ("relay", "sent"),
        ("worker", "received"),
        ("worker", "applied"),
        ("relay", "verified"),
    ]
    tells(operated, f'"import-{answer.json()["id"]}"', told)


def test_every_line_of_every_process_is_json_without_secrets(operated: Operated) -> None:
    """Except what Flower and beat print before their logs are set up."""
    env = operated.product.env
    secrets = [env["SERVICE_KEYS"].partition(":")[2], env["ADMIN_SECRET_KEY"], env["CLIENT_SECRET_KEY"]]
    secrets += [env["CELERY_BROKER_URL"].split("@")[0], env["ADMIN_DATABASE_URL"].split("@")[0]]
    for process in operated.product.processes:
        text = process.log.read_text(encoding="utf-8")
        assert not [secret for secret in secrets if secret in text], process.name
        if process.name in {"Admin", "Client", "relay"}:
            assert [line for line in text.splitlines() if not line.startswith("{")] == [], process.name
