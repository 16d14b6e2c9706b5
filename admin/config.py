"""Admin's settings, read from the environment once (see ``.env.example``)."""

from pydantic import SecretStr, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from web.settings import Settings, http_base, long_enough
from web.signatures import parse_keys


class AdminSettings(Settings):
    """``admin_database_url``: SQLAlchemy URL, ``mysql+pymysql://…`` or ``sqlite:////…``;
    ``admin_secret_key``: signs tokens and cursors; ``admin_client_url``: base URL of the Client's web service;
    ``service_keys``: ``key-id:secret[,key-id:secret]``, shared with the Client.
    """

    admin_database_url: SecretStr
    admin_secret_key: SecretStr
    admin_client_url: str
    service_keys: SecretStr

    @field_validator("admin_database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("mysql+pymysql://", "sqlite:///")):
            raise ValueError("must start with mysql+pymysql:// or sqlite:///")
        try:
            database = make_url(url.get_secret_value()).database
        except (ArgumentError, ValueError):
            raise ValueError("is not a database URL that can be read; see .env.example") from None
        if not database:
            raise ValueError("must name a database, for SQLite a file")
        return url

    @field_validator("admin_secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        return long_enough(secret)

    @field_validator("admin_client_url")
    @classmethod
    def _http(cls, url: str) -> str:
        return http_base(url)

    @field_validator("service_keys")
    @classmethod
    def _keys(cls, keys: SecretStr) -> SecretStr:
        parse_keys(keys)
        return keys
