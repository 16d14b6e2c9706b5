"""URLs in settings: ambiguous ones are refused by an error without any part of the URL."""

from urllib.parse import quote

import pytest
from kombu import Connection
from pydantic import SecretStr
from pymongo.uri_parser import parse_uri
from redis.connection import parse_url
from sqlalchemy.engine import make_url

from admin.config import AdminSettings
from client.config import ClientSettings
from contract.config import BrokerSettings
from runtime.settings import SettingsError
from web.security.limits import LimitSettings

PARTS = ("TOPSEC", "RET9")
# Each between the two parts of a password, as it stands in the URL.
UNREADABLE = ("/", "#", "?", "[", "]", "@", ":", "%", "%zz", "%2", "%e9", "%00", " ", "+", ";", "\\", '"', "\n")
SHAPES = {
    "amqp": (BrokerSettings, "CELERY_BROKER_URL", "amqp://u:{}@h:5672//"),
    "redis": (BrokerSettings, "CELERY_BROKER_URL", "redis://:{}@h:6379/0"),
    "second broker": (BrokerSettings, "CELERY_BROKER_URL", "amqp://u:p@h1//;amqp://u:{}@h2//"),
    "mongodb": (ClientSettings, "CLIENT_MONGODB_URL", "mongodb://u:{}@h1:27017,h2/shop?replicaSet=rs0"),
    "mongodb+srv": (ClientSettings, "CLIENT_MONGODB_URL", "mongodb+srv://u:{}@cluster.example/shop"),
    "mysql": (AdminSettings, "ADMIN_DATABASE_URL", "mysql+pymysql://u:{}@h:3306/admin"),
    "limits": (LimitSettings, "RATE_LIMIT_STORAGE_URL", "redis://:{}@h:6379/1"),
}


@pytest.mark.parametrize("between", UNREADABLE)
@pytest.mark.parametrize("shape", SHAPES)
def test_password_that_is_not_percent_encoded_is_refused_and_not_shown(
    environment: pytest.MonkeyPatch, shape: str, between: str
) -> None:
    settings, name, url = SHAPES[shape]
    environment.setenv(name, url.format(between.join(PARTS)))
    with pytest.raises(SettingsError) as refused:
        settings()
    assert str(refused.value).startswith(f"{name}: ")
    assert "percent-encode" in str(refused.value)
    assert not [part for part in PARTS if part in str(refused.value)]


@pytest.mark.parametrize("password", ["a/b#c?d[e]f@g:h%i+j;k,l&m=n", "pâss", "zażółć", "пароль", "🔑 key"])
@pytest.mark.parametrize("shape", SHAPES)
def test_percent_encoded_password_is_read_alike_by_settings_and_drivers(
    environment: pytest.MonkeyPatch, shape: str, password: str
) -> None:
    settings, name, url = SHAPES[shape]
    given = url.format(quote(password, safe=""))
    environment.setenv(name, given)
    assert getattr(settings(), name.lower()) == SecretStr(given)
    last = given.rpartition(";")[2]
    assert READ_BY[shape.partition("+")[0]](last) == password


READ_BY = {
    "amqp": lambda url: Connection(url).password,
    "redis": lambda url: Connection(url).password,
    "second broker": lambda url: Connection(url).password,
    "mongodb": lambda url: parse_uri(url.replace("+srv", ""))["password"],
    "mysql": lambda url: make_url(url).password,
    "limits": lambda url: parse_url(url)["password"],
}

ON_IPV6 = {
    "amqp": "amqp://u:p@[::1]:5672//",
    "redis": "redis://:p@[::1]:6379/0",
    "mongodb": "mongodb://u:p@[::1]:27017,[2001:db8::1]/shop",
    "mysql": "mysql+pymysql://u:p@[::1]:3306/admin",
    "limits": "rediss://[2001:db8::1]/1",
}


@pytest.mark.parametrize("shape", ON_IPV6)
def test_host_may_be_an_ipv6_address_in_brackets(environment: pytest.MonkeyPatch, shape: str) -> None:
    settings, name, _ = SHAPES[shape]
    environment.setenv(name, ON_IPV6[shape])
    assert getattr(settings(), name.lower()) == SecretStr(ON_IPV6[shape])


def test_mongodb_url_may_name_a_socket(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLIENT_MONGODB_URL", "mongodb://%2Frun%2Fmongodb.sock/shop")
    assert ClientSettings().client_mongodb_url.get_secret_value().endswith("/shop")
