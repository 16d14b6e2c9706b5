"""The shop in read-only mode: everything is shown, nothing leads into a refusal, and replication goes on."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from client import create_app
from client.replica import apply
from contract.messages import ProductChanged, ProductContent
from tests.flow.stores import CONTENT, TIMES, client_store_on, unique_name
from tools.stack.servers.secantus import Secantus

BROWSER = {"Accept": "text/html"}


@pytest.fixture
def shop(secantus: Secantus, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setenv("READ_ONLY", "true")
    with client_store_on(secantus.url(unique_name())) as settings:
        client = create_app(settings).test_client()
        apply.apply([ProductChanged(1, 1, ProductContent(**CONTENT, **TIMES))])
        yield client


def test_the_shop_is_shown_without_a_way_into_a_refusal(shop: FlaskClient) -> None:
    for path in ("/", "/products/1"):
        page = shop.get(path, headers=BROWSER)
        assert page.status_code == 200
        assert "read-only demonstration" in page.text
        assert "Red mug" in page.text
        assert "sign-in" not in page.text
        assert "/like" not in page.text
        assert "data-count>0<" in page.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sign-in"),
        ("GET", "/sign-up"),
        ("POST", "/sign-up"),
        ("POST", "/products/1/like"),
        ("POST", "/api/v1/shoppers"),
        ("PUT", "/api/v1/products/1/likes/me"),
        ("DELETE", "/api/v1/account"),
    ],
)
def test_read_only_shop_refuses_sign_ins_and_changes_with_the_reason(shop: FlaskClient, method: str, path: str) -> None:
    answer = shop.open(path, method=method, headers=BROWSER)
    assert answer.status_code == 403
    assert "read-only demonstration" in answer.text
