"""The search for secrets in logs at the end of each test run."""

from pathlib import Path

import pytest

from tests.log_check import leaks, secrets_of
from tools.stack.product import Addresses, Product, Secrets

URLS = ("mysql+pymysql://u:db-pass@h/d", "mongodb://u:mongo-pass@h/d", "amqp://u:broker-pass@h//")


def made(folder: Path) -> Product:
    return Product(Addresses(*URLS, 1, 2, 3), Secrets(), folder=folder, logs=folder)


def test_every_secret_of_a_product_is_searched_for(tmp_path: Path) -> None:
    product = made(tmp_path)
    assert product in Product.made
    found = secrets_of([product])
    assert {"db-pass", "mongo-pass", "broker-pass"} < found
    for name in ("ADMIN_SECRET_KEY", "CLIENT_SECRET_KEY", "SERVICE_KEYS", "FLOWER_BASIC_AUTH"):
        assert any(secret in product.env[name] for secret in found), name


@pytest.mark.parametrize(
    "said",
    [
        "connecting to amqp://u:broker-pass@h//",
        "token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl given",
        "hash $argon2id$v=19$m=65536",
        '{"password": "a password of some length"}',
        "Authorization: Bearer something",
    ],
)
def test_secret_in_a_log_is_found_by_its_place(tmp_path: Path, said: str) -> None:
    log = tmp_path / "admin.txt"
    log.write_text(f"all is well\n{said}\n")
    assert leaks([log], secrets_of([made(tmp_path)])) == [f"{log}:2"]


def test_usual_lines_are_no_leak(tmp_path: Path) -> None:
    log = tmp_path / "admin.txt"
    log.write_text('GET /api/v1/products 200 3ms\n{"event": "relay started", "level": "info"}\n')
    assert leaks([log], secrets_of([made(tmp_path)])) == []
