"""The status, resync, and recovery of databases that were restored from a backup."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest
import requests
from pymongo.database import Database

from admin.outbox.models import SENT
from admin.relay.loop import WINDOW
from contract import names
from tests.flow.running import Running, eventually
from tests.flow.stores import unique_name
from tools.stack.ports import HOST
from tools.stack.process import Process, start_all, stop_all
from tools.stack.product import FLOWER_USER, ROOT
from tools.stack.servers import programs
from tools.stack.servers.mariadb import MariaDB

BACKUP_GUIDE = ROOT / "docs" / "how-to" / "backup.md"
STATUS = "/api/v1/replication"


@contextmanager
def copies(running: Running) -> Iterator[Database[dict[str, Any]]]:
    """Return the Client's database, opened from outside Lockstep."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(running.product.addresses.mongodb_url)
    with client:
        yield client.get_default_database()


def status(running: Running) -> dict[str, Any]:
    return dict(running.admin.ask("GET", STATUS).json())


def replication(running: Running, product: int) -> dict[str, Any]:
    return dict(running.admin.ask("GET", f"/api/v1/products/{product}/replication").json())


def run(running: Running, *command: str, expect: int = 0) -> str:
    done = subprocess.run(
        command, env=dict(running.product.env), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == expect, done.stderr + done.stdout
    return done.stdout


def verified(running: Running, product: int) -> bool:
    return bool(replication(running, product)["state"] == "verified")


def in_sync(running: Running) -> bool:
    return bool(status(running)["state"] == "in_sync")


@pytest.fixture(scope="module", autouse=True)
def stores_in_sync(production: Running) -> None:
    """Other tests leave products at the Client that Admin never had; the scheduled check rightly calls that drift."""
    run(production, "lockstep", "sync", "diff", "--repair", "--yes")


def test_status_shows_lag_last_result_and_queues_and_a_product_its_versions(production: Running) -> None:
    product = production.create()
    production.admin.update(product, title="Blue mug")
    eventually(lambda: verified(production, product))
    eventually(lambda: in_sync(production))
    now = status(production)
    assert (now["pending"], now["stuck"], now["oldest"], now["client_error"]) == (0, 0, None, None)
    assert 0 <= now["lag"]["p50"] <= now["lag"]["p99"]
    assert now["last_result"]["product_id"] == product
    assert set(now["client"]) >= {"likes_pending", "likes_oldest_age", "likes_parked", "dead_letters", "worker_seen_at"}
    assert now["drift"]["confirmed"] == 0
    assert isinstance(now["queues"][names.QUEUE_PRODUCTS], int)
    shown = replication(production, product)
    assert shown["in_sync"] is True
    assert (shown["replica"]["version"], shown["replica"]["checksum"]) == (2, shown["checksum"])
    newest, first = shown["versions"]
    assert newest["applied_at"] >= newest["changed_at"][:19]
    assert (first["version"], first["kind"], bool(first["verified_at"])) == (1, "created", True)


def test_status_distinguishes_pending_from_unknown(production: Running) -> None:
    production.product.worker.stop()
    try:
        product = production.create()
        eventually(lambda: status(production)["state"] == "pending")
        assert status(production)["oldest"]["product_id"] == product
        assert json.loads(run(production, "lockstep", "sync", "status", "--json"))["state"] == "pending"
        production.product.client.stop()
        assert status(production)["state"] == "unknown"
        assert "does not answer" in run(production, "lockstep", "sync", "status", expect=4)
    finally:
        production.product.client.start()
        production.product.worker.start()
        production.product.client.wait_ready()
        production.product.worker.wait_ready()
    eventually(lambda: in_sync(production))


def test_resync_repairs_a_foreign_edit_and_leaves_correct_copies_untouched(production: Running) -> None:
    edited, right = production.create(title="Red mug"), production.create(title="Red cup")
    eventually(lambda: verified(production, edited) and verified(production, right))
    with copies(production) as store:
        store["products"].update_one({"_id": edited}, {"$set": {"title": "Hacked"}})
        before = store["products"].find_one({"_id": right})
        said = run(production, "celery", "-A", "tasks", "resync", str(edited), str(right), "--dry-run")
        assert said.startswith("2 products")
        run(production, "celery", "-A", "tasks", "resync", str(edited), str(right))
        assert production.client.get(edited)["title"] == "Red mug"
        assert store["products"].find_one({"_id": right}) == before


@pytest.mark.parametrize("by", ["celery", "flower"])
def test_one_task_call_repairs_a_product(production: Running, by: str) -> None:
    product = production.create(title="Red mug")
    eventually(lambda: verified(production, product))
    with copies(production) as store:
        store["products"].update_one({"_id": product}, {"$set": {"price": 1.0}})
        if by == "celery":
            run(production, "celery", "-A", "tasks", "call", names.RESYNC_PRODUCT, "--args", f"[{product}]")
        else:
            url = f"{production.product.addresses.flower_url}/api/task/send-task/{names.RESYNC_PRODUCT}"
            password = production.product.env["FLOWER_BASIC_AUTH"].partition(":")[2]
            answer = requests.post(url, json={"args": [product]}, auth=(FLOWER_USER, password), timeout=10)
            assert answer.status_code == 200, answer.text
        eventually(lambda: production.arrived(product, price="12.50"))  # malformed, it was left out


def test_resync_says_which_products_admin_never_had_and_which_arguments_are_wrong(production: Running) -> None:
    worker = production.product.worker
    for task, args, said in (
        (names.RESYNC_PRODUCT, "[77000077]", '"products": [77000077], "count": 1'),
        (names.RESYNC_PRODUCT, '["77"]', "'77' is not a product id"),
        (names.RESYNC_PRODUCTS, "[77]", "product_ids must be a list of ids such as [42], not 77"),
        (names.RESYNC_PRODUCTS, "[[]]", "product_ids is empty"),
    ):
        run(production, "celery", "-A", "tasks", "call", task, "--args", args)
        eventually(lambda said=said: worker.said(said), what=said)  # type: ignore[misc]


@contextmanager
def stopped(*processes: Process) -> Iterator[None]:
    """Stop the writers of a database during its restore."""
    stop_all(processes)
    yield
    start_all(processes)


def test_imported_rows_pass_a_window_full_of_failing_products(
    production: Running, mariadb: MariaDB, tmp_path: Path
) -> None:
    table = f"{production.product.addresses.database_url.rpartition('/')[2]}.replication"
    poison, soon = 10_000_000, "UTC_TIMESTAMP(3) + INTERVAL 9 MINUTE"
    category, path = unique_name(), tmp_path / "one.csv"
    path.write_text(f"sku,title,price,currency,category\nMUG,Red mug,12.50,EUR,{category}\n", encoding="utf-8")
    mariadb.execute(
        f"INSERT INTO {table} (product_id, sequence, checksum, verified_sequence, lane, state, attempts, sent_at,"
        f" due_at)"
        f" SELECT {poison} + seq, 1, '', 0, '{names.BULK}', '{SENT}', 0, UTC_TIMESTAMP(3), {soon}"
        f" FROM mysql.seq_1_to_{WINDOW}"
    )
    try:
        run(production, "lockstep", "import", str(path))
        eventually(lambda: bool(production.client.list(category=category)), what="the imported product")
    finally:
        mariadb.execute(f"DELETE FROM {table} WHERE product_id > {poison}")


class Backup:
    """Both stores' content at a moment, and either put back: Admin's by the commands of docs/how-to/backup.md."""

    def __init__(self, running: Running, mariadb: MariaDB, folder: Path) -> None:
        self._running, self._mariadb = running, mariadb
        self._name = running.product.addresses.database_url.rpartition("/")[2]
        self._dump = folder / f"{unique_name()}.sql"
        [options] = re.findall(r"mysqldump ((?:--[\w-]+ )+)", BACKUP_GUIDE.read_text(encoding="utf-8"))
        self._shell(
            f"{programs.find('mysqldump', 'mariadb-client')} {options} {self._as_root} {self._name} > {self._dump}"
        )
        with copies(running) as store:
            self._documents = {name: list(store[name].find()) for name in store.list_collection_names()}

    @property
    def _as_root(self) -> str:
        return f"--protocol=tcp --host={HOST} --port={self._mariadb.port} --user=root"

    def _shell(self, command: str) -> None:
        programs.run(["sh", "-c", command], env={"MYSQL_PWD": self._mariadb.root_password})

    def restore_admin(self) -> None:
        with stopped(self._running.product.admin, self._running.product.relay):
            self._mariadb.create_database(self._name)
            self._shell(f"{programs.find('mysql', 'mariadb-client')} {self._as_root} {self._name} < {self._dump}")
            run(self._running, "lockstep", "migrate", "admin")

    def restore_client(self) -> None:
        with stopped(self._running.product.client, self._running.product.worker), copies(self._running) as store:
            for name, documents in self._documents.items():
                store[name].delete_many({})
                if documents:
                    store[name].insert_many(documents)


def change(running: Running, products: list[int], times: int) -> None:
    """Make ``times`` changes: new products, updates, and one delete."""
    for n in range(times - 1):
        if n % 2:
            running.admin.update(products[n % len(products)], title=f"Change {n}")
        else:
            running.create(title=f"New {n}")
    running.admin.delete(products[-1])


def catalogue(running: Running, mariadb: MariaDB) -> dict[int, Any]:
    name = running.product.addresses.database_url.rpartition("/")[2]
    rows = mariadb.execute(f"SELECT id, sku, title FROM {name}.products WHERE deleted_at IS NULL")
    return {int(str(id_)): (sku, title) for id_, sku, title in rows}


def shop(running: Running) -> dict[int, Any]:
    with copies(running) as store:
        return {doc["_id"]: (doc["sku"], doc["title"]) for doc in store["products"].find({"deleted": False})}


@pytest.mark.timeout(240, func_only=True)
def test_restored_databases_are_detected_and_recovered_by_the_documented_commands(
    apart: Running, mariadb: MariaDB, tmp_path: Path
) -> None:
    products = [apart.create(title=f"Old {n}") for n in range(10)]
    eventually(lambda: in_sync(apart))
    backup = Backup(apart, mariadb, tmp_path)
    change(apart, products, 100)
    eventually(lambda: in_sync(apart))

    backup.restore_admin()
    eventually(lambda: status(apart)["alarm"] == "admin", within=60, what="the alarm about Admin")
    assert shop(apart), "the shop stays as it is"
    run(apart, "lockstep", "sync", "recover", "--yes")
    eventually(lambda: status(apart)["pending"] == 0, within=60)
    run(apart, "lockstep", "sync", "diff", "--repair", "--yes")
    assert shop(apart) == catalogue(apart, mariadb)

    backup = Backup(apart, mariadb, tmp_path)
    change(apart, list(catalogue(apart, mariadb)), 100)
    eventually(lambda: in_sync(apart))
    backup.restore_client()
    eventually(lambda: status(apart)["alarm"] == "client", within=60, what="the alarm about the Client")
    run(apart, "lockstep", "sync", "recover", "--yes")
    eventually(lambda: in_sync(apart), within=60)
    assert shop(apart) == catalogue(apart, mariadb)
