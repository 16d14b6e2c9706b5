"""Settings of both services in the environment."""

from pathlib import Path

import pytest

from tests.unit.admin.catalogue import KEYS, SECRET

GOOD = {
    "ADMIN_DATABASE_URL": "sqlite:////tmp/admin.db",
    "ADMIN_SECRET_KEY": SECRET,
    "ADMIN_CLIENT_URL": "http://client.example:8000/",
    "SERVICE_KEYS": KEYS,
}
OF_THE_CLIENT = {
    "CLIENT_MONGODB_URL": "mongodb://there/shop",
    "CLIENT_SECRET_KEY": SECRET,
    "CLIENT_ADMIN_URL": "http://admin.example:8000/",
    "CLIENT_OIDC_ISSUER": "https://issuer.example/",
    "CLIENT_OIDC_CLIENT_ID": "shop",
    "CLIENT_PUBLIC_URL": "https://shop.example",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Good settings, in a folder without a ``.env``."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**GOOD, **OF_THE_CLIENT}.items():
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv(name, value)
    return monkeypatch
