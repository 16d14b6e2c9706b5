"""Lint finds a planted secret, and an import from a layer above."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n",
    "a cloud's key": 'key = "AKIA' + 'IOSFODNN7EXAMPLE"\n',
    "a token": 'token = "'
    + "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    + "."
    + "eyJzdWIiOiIxMjM0NTY3ODkwIn0"
    + '.dozjgNryP4J3jVmN"\n',
    "a password": 'password = "' + 'Tr0ub4dor-and-3"\n',
    "a broker's URL": 'url = "amqp://lockstep:' + 's3cr3t-of-ours@broker.internal//"\n',
    "a random secret": 'secret = "' + 'q7Vb3kR9xL2mZ8wN5cT1yH6gF4dS0aJe"\n',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_secret_is_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "settings.py").write_text(PLANTED[kind])
    found = subprocess.run([ROOT / "scripts" / "secrets", tmp_path / "settings.py"], capture_output=True, text=True)
    assert found.returncode == 1, found.stdout + found.stderr


def test_placeholder_is_not_reported_as_a_secret(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("amqp://user:password@host:5672//\n")
    subprocess.run([ROOT / "scripts" / "secrets", tmp_path / "readme.md"], check=True)


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("admin/catalogue/ids.py", "from admin.rest import products"),
        ("client/replica/apply.py", "from client.likes import service"),
        ("web/http/problems.py", "from web.security import tokens"),
        ("contract/names.py", "from tasks import products"),
        ("runtime/logs.py", "from contract import names"),
    ],
)
def test_import_from_a_layer_above_is_found(tmp_path: Path, module: str, planted: str) -> None:
    for package in ("admin", "client", "contract", "lockstep", "runtime", "tasks", "tools", "web"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"{planted}\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert found.returncode == 1, found.stdout + found.stderr
    assert module.removesuffix(".py").replace("/", ".") in found.stdout
