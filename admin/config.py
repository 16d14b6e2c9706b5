"""Admin's settings, read from the environment once (see ``.env.example``)."""

from pydantic import SecretStr, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from web import urls
from web.settings import BaseUrl, SecretKey, ServiceUrl, Settings
from web.signatures import ServiceKeys


class AdminSettings(Settings):
    """``admin_database_url``: SQLAlchemy URL, ``mysql+pymysql://…`` or ``sqlite:////…``;
    ``admin_secret_key``: signs tokens and cursors; ``admin_client_url``: base URL of the Client's web service;
    ``service_keys``: ``key-id:secret[,key-id:secret]``, shared with the Client. ``admin_shop_url`` and
    ``admin_flower_url``: where browsers find the shop and Flower, for the console's links; it has none without.
    """

    admin_database_url: SecretStr
    admin_secret_key: SecretKey
    admin_client_url: ServiceUrl
    service_keys: ServiceKeys
    admin_shop_url: BaseUrl | None = None
    admin_flower_url: BaseUrl | None = None

    @field_validator("admin_database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        given = url.get_secret_value()
        if not given.startswith(("mysql+pymysql://", "sqlite:///")):
            raise ValueError("must start with mysql+pymysql:// or sqlite:///")
        if not given.startswith("sqlite"):  # which is a path, and holds no password
            urls.read(given)
        try:
            database = make_url(given).database
        except (ArgumentError, ValueError):
            raise ValueError("is not a database URL that can be read; see .env.example") from None
        if not database:
            raise ValueError("must name a database, for SQLite a file")
        return url
