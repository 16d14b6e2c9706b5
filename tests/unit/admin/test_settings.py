"""Wrong settings are reported by name, without their value."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from admin.config import AdminSettings
from client.config import ClientSettings
from contract.config import BrokerSettings, FlowerSettings
from lockstep.doctor.settings import check_settings, given_names, unknown_settings
from lockstep.main import cli as lockstep_cli
from runtime.metrics import MetricsSettings
from runtime.settings import Settings, SettingsError
from runtime.tracing import TracingSettings
from tests.unit.admin.catalogue import KEYS, SECRET
from tests.unit.conftest import GOOD
from web.security.limits import LimitSettings

HIDDEN = "hunter2"  # stands in every wrong secret below


pytestmark = pytest.mark.usefixtures("environment")


def problems(settings: type[Settings] = AdminSettings) -> list[str]:
    with pytest.raises(SettingsError) as error:
        settings()
    return str(error.value).splitlines()


def test_good_settings_are_read_from_the_environment() -> None:
    settings = AdminSettings()
    assert settings.admin_secret_key.get_secret_value() == SECRET
    assert settings.admin_client_url == "http://client.example:8000"
    assert SECRET not in repr(settings)
    assert KEYS.partition(":")[2] not in repr(settings)


@pytest.mark.parametrize(
    "url",
    ["mysql+pymysql://u:p%40ss@db:3306/admin?charset=utf8mb4", "mysql+pymysql://u@/admin?unix_socket=/run/m.sock"],
)
def test_database_may_be_on_a_host_or_a_socket(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("ADMIN_DATABASE_URL", url)
    assert AdminSettings().admin_database_url.get_secret_value() == url


def test_every_missing_setting_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        environment.delenv(name)
    assert problems() == [f"{name} is not set; see .env.example" for name in GOOD]


WRONG: list[tuple[str, str, str]] = [
    ("ADMIN_DATABASE_URL", "", "must start with mysql+pymysql:// or sqlite:///"),
    ("ADMIN_DATABASE_URL", f"postgresql://u:{HIDDEN}@db/admin", "must start with"),
    ("ADMIN_DATABASE_URL", f"mysql://u:{HIDDEN}@db/admin", "must start with"),
    ("ADMIN_DATABASE_URL", f"mysql+pymysql://u:{HIDDEN}@db:port/admin", "is not a valid URL"),
    ("ADMIN_DATABASE_URL", f"mysql+pymysql://u:{HIDDEN}@db", "must name a database"),
    ("ADMIN_DATABASE_URL", "mysql+pymysql://", "must name a database"),
    ("ADMIN_DATABASE_URL", "sqlite:///", "must name a database"),
    ("ADMIN_SECRET_KEY", "", "must have at least 32 characters"),
    ("ADMIN_SECRET_KEY", HIDDEN, "must have at least 32 characters"),
    ("ADMIN_CLIENT_URL", "", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "client.example:8000", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "ftp://client.example", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "http://", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "http://:8000", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "http://client.example:port", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "http://[::1", "must be an http:// or https:// URL"),
    ("ADMIN_CLIENT_URL", "http://client.example/behind/a/proxy", "must have no path"),
    ("ADMIN_CLIENT_URL", f"http://u:{HIDDEN}@client.example", "must have no user, password or query"),
    ("ADMIN_CLIENT_URL", f"http://client.example?key={HIDDEN}", "must have no user, password or query"),
    ("ADMIN_SHOP_URL", "http://bücher.example", "in ASCII"),  # it stands in headers
    ("SERVICE_KEYS", f"k\u00e9y:{HIDDEN * 10}", "the id of key number 1 must be ASCII"),
    ("SERVICE_KEYS", f"{KEYS},\ufeffk2:{HIDDEN * 10}", "the id of key number 2 must be ASCII"),
    ("SERVICE_KEYS", f'k"1:{HIDDEN * 10}', "without spaces, quotes"),
    ("SERVICE_KEYS", "", "must have at least one key-id:secret"),
    ("SERVICE_KEYS", " , ", "must have at least one key-id:secret"),
    ("SERVICE_KEYS", HIDDEN * 10, "must be key-id:secret"),
    ("SERVICE_KEYS", f":{HIDDEN * 10}", "must be key-id:secret"),
    ("SERVICE_KEYS", f"k1:{HIDDEN}", "must have at least 32 characters"),
    ("SERVICE_KEYS", f"{KEYS},k2:{HIDDEN}", "must have at least 32 characters"),
    ("SERVICE_KEYS", f"{HIDDEN * 10}:k1", "must have at least 32 characters"),  # the two swapped
    ("SERVICE_KEYS", f"{KEYS},k1:{HIDDEN * 10}", "is a duplicate"),
]


def test_setting_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("f" * 40 + "\n")
    environment.delenv("ADMIN_SECRET_KEY")
    environment.setenv("ADMIN_SECRET_KEY_FILE", str(path))
    assert AdminSettings().admin_secret_key == SecretStr("f" * 40)


def test_environment_wins_over_the_file_and_the_file_over_dotenv(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"ADMIN_SECRET_KEY={'d' * 40}\n")
    (tmp_path / "secret").write_text("f" * 40)
    environment.setenv("ADMIN_SECRET_KEY_FILE", str(tmp_path / "secret"))
    found: list[Any] = [AdminSettings().admin_secret_key.get_secret_value()]
    for name in ("ADMIN_SECRET_KEY", "ADMIN_SECRET_KEY_FILE"):
        environment.delenv(name)
        found.append(AdminSettings().admin_secret_key.get_secret_value())
    assert found == [SECRET, "f" * 40, "d" * 40]


def test_byte_order_mark_of_a_file_is_no_part_of_its_setting(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEYS}\n", encoding="utf-8-sig")
    (tmp_path / ".env").write_text(f"ADMIN_SECRET_KEY={'d' * 40}\n", encoding="utf-8-sig")
    for name in ("SERVICE_KEYS", "ADMIN_SECRET_KEY"):
        environment.delenv(name)
    environment.setenv("SERVICE_KEYS_FILE", str(tmp_path / "keys"))
    settings = AdminSettings()
    assert settings.service_keys.get_secret_value() == KEYS
    assert settings.admin_secret_key.get_secret_value() == "d" * 40
    assert "ADMIN_SECRET_KEY" in given_names()


def test_dotenv_in_another_encoding_is_told_without_its_content(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(f"ADMIN_SHOP_URL=http://{HIDDEN}é".encode("latin-1"))
    assert problems() == [".env is not UTF-8 text"]


@pytest.mark.parametrize("content", [None, b"", HIDDEN.encode(), b"\xff" * 40])
def test_file_that_does_not_hold_the_setting_is_told(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    environment.delenv("ADMIN_SECRET_KEY")
    environment.setenv("ADMIN_SECRET_KEY_FILE", str(path))
    [problem] = problems()
    assert problem.startswith("ADMIN_SECRET_KEY")
    assert HIDDEN not in problem


WRONG_ELSEWHERE: list[tuple[type[Settings], str, str, str]] = [
    (FlowerSettings, "FLOWER_BASIC_AUTH", f"operator:{HIDDEN}é", "must be in ASCII"),
    (FlowerSettings, "FLOWER_BASIC_AUTH", f"opérator:{HIDDEN}", "must be in ASCII"),
    (MetricsSettings, "METRICS_TOKEN", f"{HIDDEN * 10}é", "must be ASCII"),
    (MetricsSettings, "METRICS_TOKEN", f"{HIDDEN * 10} {HIDDEN}", "without spaces"),
    (MetricsSettings, "METRICS_ADDRESS", "::1:9101", "must be host:port"),
    (MetricsSettings, "METRICS_ADDRESS", "[::1:9101", "must be host:port"),
    (MetricsSettings, "METRICS_ADDRESS", "[127.0.0.1]:9101", "must be host:port"),
    (MetricsSettings, "METRICS_ADDRESS", "[::1]", "must be host:port"),
    (MetricsSettings, "METRICS_ADDRESS", "127.0.0.1:\u00b2", "must be host:port"),
    (MetricsSettings, "METRICS_ADDRESS", "127.0.0.1:99999", "must be host:port"),
    (TracingSettings, "OTEL_EXPORTER_OTLP_ENDPOINT", f"http://u:{HIDDEN}@there", "must have no user"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://", "must have exactly one host"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://h1,h2//", "must have exactly one host"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://h:70000//", "the port is a number"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://h:port//", "the port is a number"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://[::1//", "is not a valid URL"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://[::g]//", "is not a valid URL"),
    (BrokerSettings, "CELERY_BROKER_URL", "amqp://[:::1]//", "is not a valid URL"),
    (BrokerSettings, "CELERY_BROKER_URL", "redis://h/first", "the number of a database"),
    (LimitSettings, "RATE_LIMIT_STORAGE_URL", "redis://h/first", "the number of a database"),
    (LimitSettings, "RATE_LIMIT_STORAGE_URL", "memcached://h", "must start with redis://"),
    (ClientSettings, "CLIENT_MONGODB_URL", "mongodb://h", "must look like mongodb://"),
    (ClientSettings, "CLIENT_MONGODB_URL", "mongodb:///shop", "must look like mongodb://"),
    (ClientSettings, "CLIENT_MONGODB_URL", f"mongodb://u:{HIDDEN}@h/shop?readPreference={HIDDEN}", "read preference"),
    (AdminSettings, "ADMIN_DATABASE_URL", f"sqlite://u:{HIDDEN}@h/admin", "must start with"),
    *((ClientSettings, "CLIENT_OIDC_CLIENT_SECRET", secret, "in ASCII") for secret in ("of-théir-own", "\ufeffsecret")),
    *((BrokerSettings, "CELERY_BROKER_URL", url, "must start with amqp://") for url in ("", "http://x")),
    (BrokerSettings, "CELERY_BROKER_URL", f"amqp:u:{HIDDEN}@x", "must start with amqp://"),
    (LimitSettings, "RATE_LIMIT", "many", "must be a limit such as"),
]
ALL_WRONG = [*((AdminSettings, *row) for row in WRONG), *WRONG_ELSEWHERE]


@pytest.mark.parametrize(("settings", "name", "value", "told"), ALL_WRONG)
def test_wrong_setting_is_told_by_name_without_its_value(
    environment: pytest.MonkeyPatch, settings: type[Settings], name: str, value: str, told: str
) -> None:
    environment.setenv(name, value)
    [problem] = problems(settings)
    assert problem.startswith(f"{name}: ")
    assert told in problem
    assert HIDDEN not in problem


def test_misspelt_settings_are_listed(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = set(unknown_settings())
    environment.setenv("ADMIN_SECRET_KEYS", "x")
    environment.setenv("SERVICE_KEYS_FILE", "x")
    environment.setenv("ADMINISTRATOR", "x")
    (tmp_path / ".env").write_text("CLIENT_MONGO_URL=x\nPATHS=x\n")
    assert set(unknown_settings()) - before == {"ADMIN_SECRET_KEYS", "CLIENT_MONGO_URL"}


def test_doctor_shows_each_given_setting_with_its_source_and_no_secret(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ADMIN_SHOP_URL", raising=False)
    valid: dict[str, Settings] = {}
    findings = [finding for finding in check_settings(["admin"], valid) if finding.check == "settings of admin"]
    assert list(valid) == ["admin"]
    found = {finding.what for finding in findings}
    assert "ADMIN_CLIENT_URL = http://client.example:8000 (from the environment)" in found
    assert "ADMIN_SECRET_KEY = ******** (from the environment)" in found
    assert not [what for what in found if "ADMIN_SHOP_URL" in what or SECRET in what or KEYS in what]


def test_doctor_names_wrong_and_unknown_settings_skips_what_needs_them_and_exits_2(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("ADMIN_SECRET_KEY", HIDDEN)
    environment.setenv("ADMIN_SECRET_KEYS", HIDDEN)
    environment.delenv("CELERY_BROKER_URL", raising=False)
    result = CliRunner().invoke(lockstep_cli, ["doctor", "admin"])
    assert result.exit_code == 2
    assert "FAILED  settings of admin: ADMIN_SECRET_KEY: must have at least 32 characters" in result.stdout
    assert "FAILED  settings: ADMIN_SECRET_KEYS is not a setting" in result.stdout
    assert "skipped admin database: needs the settings of admin" in result.stdout
    assert HIDDEN not in result.output
