"""A server's password may have any letters: percent-encoded in the URL, the driver gets what the server knows."""

from urllib.parse import quote

import pytest
from pydantic import SecretStr

from admin.config import AdminSettings
from lockstep.doctor import admin_checks
from tests.flow.stores import KEYS, NOWHERE, SECRET, unique_name
from tools.stack.ports import HOST
from tools.stack.servers.mariadb import MariaDB


@pytest.mark.parametrize("password", ["crème brûlée", "zażółć/gęślą@jaźń", "пароль#1"])
def test_password_of_mysql_may_have_any_letters(mariadb: MariaDB, password: str) -> None:
    name = unique_name()
    mariadb.create_database(name)
    mariadb.execute(f"CREATE USER '{name}'@'{HOST}' IDENTIFIED BY '{password}'")
    mariadb.execute(f"GRANT ALL ON `{name}`.* TO '{name}'@'{HOST}'")
    url = f"mysql+pymysql://{name}:{quote(password, safe='')}@{HOST}:{mariadb.port}/{name}"
    settings = AdminSettings(
        admin_database_url=SecretStr(url), admin_secret_key=SECRET, admin_client_url=NOWHERE, service_keys=KEYS
    )
    found = list(admin_checks.database(settings))
    assert found[0].what.endswith(" answers"), found
    assert password not in repr(found)
