"""Admin's settings, read from the environment once (see ``.env.example``)."""

from pydantic import Field, SecretStr, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from runtime import urls
from runtime.settings import BaseUrl, SecretKey, ServiceUrl, Settings
from web.security.signatures import ServiceKeys


class AdminSettings(Settings):
    """Admin: its web service, the relay, and the commands for staff and the catalogue."""

    admin_database_url: SecretStr = Field(
        description="The catalogue's database: `mysql+pymysql://user:password@host:3306/database`, or for "
        "a single machine a file: `sqlite:////absolute/path/admin.db`."
    )
    admin_secret_key: SecretKey = Field(
        description="Signs the tokens of staff and the cursors of lists. At least 32 characters, the same "
        "in every process of Admin."
    )
    admin_client_url: ServiceUrl = Field(
        description="Base URL of the Client's web service, without a path: `http://127.0.0.1:5002`. Admin "
        "calls it to verify which changes have arrived."
    )
    service_keys: ServiceKeys
    admin_shop_url: BaseUrl | None = Field(
        None,
        description="Where browsers find the shop: `http://127.0.0.1:5002`. The console links to it and "
        "shows the products' pictures from there.",
    )
    admin_flower_url: BaseUrl | None = Field(
        None, description="Where browsers find Flower: `http://127.0.0.1:5555`. The console links to it."
    )

    @field_validator("admin_database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        given = url.get_secret_value()
        if not given.startswith(("mysql+pymysql://", "sqlite:///")):
            raise ValueError("must start with mysql+pymysql:// or sqlite:///")
        if not given.startswith("sqlite"):  # SQLite URLs are paths without a password
            urls.read(given)
        try:
            database = make_url(given).database
        except (ArgumentError, ValueError):
            raise ValueError("is no valid database URL; see .env.example") from None
        if not database:
            raise ValueError("must name a database, for SQLite a file")
        return url
