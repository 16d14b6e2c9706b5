""".env.example and the secrets of scripts/make-secrets, checked against the settings and Compose."""

import subprocess
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from lockstep.doctor.settings import settings_classes
from runtime.settings import Settings, SettingsError
from tests.contract.compose_check import ROOT, SETTINGS, default_of, read_compose
from tests.contract.conftest import ALL_SETTINGS as NAMES
from tools.settings_reference import env_example, tables

SCRIPT = ROOT / "scripts" / "make-secrets"
CLUSTER = "docker-compose.cluster.yml"

ALL_SETTINGS = tuple(settings_classes().values())
pytestmark = pytest.mark.usefixtures("no_settings_from_around")


def test_env_example_names_exactly_the_settings() -> None:
    assert dotenv_values(ROOT / ".env.example").keys() == NAMES


def test_env_example_is_generated_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), "python -m tools.settings_reference > .env.example"


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_every_setting_is_described(settings: type[Settings]) -> None:
    assert [name for name, field in settings.model_fields.items() if not field.description] == []
    assert all(f"`{name.upper()}`" in tables() for name in settings.model_fields)


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_env_example_has_no_usable_value(settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for field in settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    with pytest.raises(SettingsError) as refused:
        settings(_env_file=ROOT / ".env.example")
    named = {line.partition(":")[0] for line in str(refused.value).splitlines()}
    assert named == {field.upper() for field in settings.model_fields}


def run_script(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=30)


def make_secrets(folder: Path) -> Path:
    """Run the script for ``folder/secrets``; return that folder."""
    done = run_script(folder / "secrets")
    assert done.returncode == 0, done.stderr
    return folder / "secrets"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_script_creates_exactly_the_secrets_that_compose_mounts(tmp_path: Path) -> None:
    made = {path.name for path in make_secrets(tmp_path).iterdir()}
    mounted = read_compose(CLUSTER)["secrets"]
    assert {secret["file"] for secret in mounted.values()} == {f"secrets/{name}" for name in mounted}
    assert made == mounted.keys()


def test_settings_accept_the_secrets_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_secrets(tmp_path)
    for name, classes in SETTINGS.items():
        for variable, value in read_compose()["services"][name]["environment"].items():
            if value is not None:
                monkeypatch.setenv(variable, default_of(value).replace("/run/secrets", str(folder)))
        for settings in classes:
            settings()


def test_secrets_of_the_script_are_consistent(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    read = {path.name: path.read_text().strip() for path in folder.iterdir()}
    hosts = {
        "admin_database_url": (read["mysql_password"], "mysql", "/lockstep"),
        "client_mongodb_url": (read["mongodb_password"], "any-mongodb", "/lockstep"),
        "celery_broker_url": (read["rabbitmq_conf"].rpartition("= ")[2], "any-rabbitmq", "//"),
    }
    for name, expected in hosts.items():
        url = urlsplit(read[name])
        assert (url.password, url.hostname, url.path) == expected
        assert url.username == "lockstep"
        assert url.hostname in names_in_the_networks()
    assert len(set(read.values())) == len(read)


def names_in_the_networks() -> set[str]:
    services = read_compose()["services"]
    joined = [joined for service in services.values() if isinstance(joined := service.get("networks"), dict)]
    return services.keys() | {alias for networks in joined for how in networks.values() for alias in how["aliases"]}


def test_secrets_are_closed_to_other_users_and_open_to_the_containers(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    # Servers in containers run as other users, and have the file mounted without the folder.
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


def test_second_run_changes_nothing_and_adds_what_is_missing(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    before = contents(folder)
    (folder / "metrics_token").unlink()
    (folder / "celery_broker_url").unlink()
    make_secrets(tmp_path)
    after = contents(folder)
    assert after.pop("metrics_token") != before.pop("metrics_token")
    assert after == before


@pytest.mark.parametrize("password", ["mysql_password", "mongodb_password", "rabbitmq_conf"])
def test_script_creates_no_new_password_beside_a_url_with_the_old_one(tmp_path: Path, password: str) -> None:
    folder = make_secrets(tmp_path)
    (folder / password).unlink()
    before = contents(folder)
    refused = run_script(folder)
    assert refused.returncode == 1
    assert f"Restore {password}" in refused.stderr
    assert contents(folder) == before


def test_script_refuses_wrong_arguments() -> None:
    refused = run_script("--help")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Usage" in refused.stderr


def test_secrets_reach_neither_git_nor_the_image() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
    assert not any(fnmatch(path, pattern) for path in ("secrets", ".env", ".git") for pattern in let_in)
    assert {"secrets/", ".env"} <= set((ROOT / ".gitignore").read_text().splitlines())
