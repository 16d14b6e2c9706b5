"""The main job over real processes and servers: products to the Client, likes to Admin, whatever is killed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import requests
from amqp import Connection, Message

from contract import names
from contract.messages import ProductChanged, ProductContent
from tests.flow.running import Running, eventually
from tests.flow.stores import unique_name
from tools.stack.commands import Command
from tools.stack.product import FLOWER_USER, ROOT
from tools.stack.servers.rabbitmq import RabbitMQ

COLUMNS = ("sku", "title", "description", "price", "currency", "category", "image_url")


def check_changes_and_likes_arrive(running: Running) -> None:
    admin, client = running.admin, running.client
    product = running.create(title="Red mug")
    eventually(lambda: running.arrived(product, title="Red mug", version=1), what="the create")
    admin.update(product, title="Blue mug")
    eventually(lambda: running.arrived(product, title="Blue mug", version=2), what="the update")
    client.like(product)
    eventually(lambda: admin.get(product)["likes"] == 1, what="the like at Admin")
    eventually(lambda: client.get(product)["likes"] == 1, what="the like at the Client")
    client.like(product)
    client.unlike(product)
    eventually(lambda: admin.get(product)["likes"] == 0, what="the unlike at Admin")
    admin.delete(product)
    eventually(lambda: client.status(product) == 410, what="the delete")
    assert client.request("PUT", f"/api/v1/products/{product}/likes/me").status_code == 410


def test_changes_and_likes_arrive_over_rabbitmq_and_mariadb(production: Running) -> None:
    check_changes_and_likes_arrive(production)


def test_changes_and_likes_arrive_over_the_embedded_default(embedded: Running) -> None:
    check_changes_and_likes_arrive(embedded)


def test_message_copied_before_the_delete_does_not_bring_the_product_back(
    production: Running, rabbitmq: RabbitMQ
) -> None:
    product = production.create()
    eventually(lambda: production.arrived(product))
    shown = production.client.get(product)
    old = ProductChanged(product, 1, ProductContent(**{k: shown[k] for k in (*COLUMNS, "created_at", "updated_at")}))
    production.admin.delete(product)
    eventually(lambda: production.client.status(product) == 410)
    for _ in range(3):
        publish(production, rabbitmq, names.SYNC_PRODUCT, [old.encode()])
    marker = production.create()
    eventually(lambda: production.arrived(marker))
    eventually(lambda: depth(production, rabbitmq, names.QUEUE_PRODUCTS) == 0)
    assert production.client.status(product) == 410


def test_changes_made_while_the_broker_is_down_arrive_once_it_is_back(production: Running, rabbitmq: RabbitMQ) -> None:
    rabbitmq.kill()
    try:
        product = production.create()
        other = production.create()
        production.admin.delete(other)
    finally:
        rabbitmq.start()
        rabbitmq.wait_ready()
    eventually(lambda: production.client.status(product) == 200, within=60)
    eventually(lambda: production.client.status(other) == 410, within=60)


def test_likes_made_while_admin_is_down_are_counted_once_it_is_back(production: Running) -> None:
    product = production.create()
    eventually(lambda: production.arrived(product))
    production.product.admin.stop()
    try:
        production.client.like(product)
        eventually(lambda: production.client.get(product)["likes"] == 1, what="the count without Admin")
    finally:
        production.product.admin.restart()
    eventually(lambda: production.admin.get(product)["likes"] == 1, within=60)


def test_import_survives_kills_of_relay_and_worker_field_by_field(production: Running, tmp_path: Path) -> None:
    prefix, count = unique_name(), 2_000
    path = tmp_path / "catalogue.csv"
    rows = [f"{prefix}-{n},Thing {n},A thing.,{n}.50,EUR,{prefix},/static/{n}.svg" for n in range(count)]
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    importing = Command(["import", str(path)], production.product.env)
    for process in (production.product.relay, production.product.worker):
        process.kill()
        process.start()
        process.wait_ready()
    assert f"{count} created, 0 updated" in importing.finish()
    production.product.relay.kill()
    production.product.relay.start()

    eventually(lambda: len(listed(production, prefix)) == count, within=90, what="the import at the Client")
    expected = [dict(zip(COLUMNS, row.split(","), strict=True)) for row in rows]
    shown = {item["sku"]: {name: item[name] for name in COLUMNS} for item in listed(production, prefix)}
    assert shown == {row["sku"]: row for row in expected}


def test_flower_names_tasks_and_products(production: Running) -> None:
    product = production.create()
    password = production.product.env["FLOWER_BASIC_AUTH"].partition(":")[2]
    url = f"{production.product.addresses.flower_url}/api/tasks?taskname={names.SYNC_PRODUCT}"

    def shown() -> bool:
        tasks = requests.get(url, auth=(FLOWER_USER, password), timeout=10).json()
        return any(f"{product}@v1" in (task["args"] or "") for task in tasks.values())

    eventually(shown, what="the task in Flower")
    assert requests.get(url, timeout=10).status_code == 401


def test_celery_command_line_inspects_and_replays(production: Running) -> None:
    product = production.create()
    eventually(lambda: production.arrived(product))
    assert "1 node online" in celery(production, "inspect", "active")
    celery(production, "call", names.RESYNC_PRODUCT, "--args", json.dumps([product]))
    eventually(lambda: production.product.worker.said('"event": "resynced"'), what="the replay")


def celery(running: Running, *arguments: str) -> str:
    command = ["celery", "-A", "tasks", *arguments]
    done = subprocess.run(
        command, env=dict(running.product.env), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def listed(running: Running, category: str) -> list[dict[str, Any]]:
    """Every product of a category, by following the list's Link headers."""
    items: list[dict[str, Any]] = []
    path: str | None = f"/api/v1/products?limit=100&category={category}"
    while path:
        answer = running.client.ask("GET", path)
        items += answer.json()["items"]
        path = answer.links["next"]["url"] if "next" in answer.links else None
    return items


def publish(running: Running, rabbitmq: RabbitMQ, task: str, args: list[Any]) -> None:
    """Send a task past Lockstep's own code, as a mishap or a stranger would."""
    body = json.dumps([args, {}, {}]).encode()
    headers = {"id": unique_name(), "task": task, "lang": "py", "root_id": None, "parent_id": None, "group": None}
    message = Message(
        body,
        content_type="application/json",
        content_encoding="utf-8",
        application_headers=headers,
        delivery_mode=2,
    )
    with connect(running, rabbitmq) as connection:
        connection.channel().basic_publish(message, names.EXCHANGE, names.QUEUE_PRODUCTS)


def depth(running: Running, rabbitmq: RabbitMQ, queue: str) -> int:
    with connect(running, rabbitmq) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def connect(running: Running, rabbitmq: RabbitMQ) -> Connection:
    vhost = running.product.addresses.broker_url.rpartition("/")[2]
    connection = Connection(f"127.0.0.1:{rabbitmq.port}", "lockstep", rabbitmq.password, virtual_host=vhost)
    connection.connect()
    return connection
