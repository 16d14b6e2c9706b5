"""Attacks by the Host header: no answer of either service repeats its value."""

import pytest

from tests.security.test_limits import app_of

HOSTS = (
    "evil.example",
    "evil.example:80",
    "evil.example/x",
    "evil.example?",
    "a@evil.example",
    "//evil.example",
    "[::1",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    ("service", "path", "target"),
    [
        ("admin", "/api//v1/products?limit=5", "/api/v1/products?limit=5"),
        ("admin", "/console", "/console/"),
        ("admin", "/console//sign-in", "/console/sign-in"),
        ("client", "/api//v1/products?limit=5", "/api/v1/products?limit=5"),
        ("client", "/shop//grid", "/shop/grid"),
    ],
)
def test_redirect_names_the_path_alone(service: str, path: str, target: str, host: str) -> None:
    answer = app_of(service).get(path, headers={"Host": host, "X-Forwarded-Host": host})
    assert answer.status_code in {308, 400}  # 400: an invalid host
    if answer.status_code == 308:
        assert answer.headers["Location"] == target
    assert "evil" not in answer.text
