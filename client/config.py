"""The Client's settings, read from the environment once (see ``.env.example``)."""

from pydantic import SecretStr, field_validator

from web.settings import BaseUrl, SecretKey, Settings
from web.signatures import ServiceKeys


class ClientSettings(Settings):
    """``client_mongodb_url``: ``mongodb://…`` with the database's name; ``client_secret_key``: signs tokens and
    cursors; ``client_admin_url``: base URL of Admin; ``service_keys``: ``key-id:secret[,…]``, shared with Admin.
    """

    client_mongodb_url: SecretStr
    client_secret_key: SecretKey
    client_admin_url: BaseUrl
    service_keys: ServiceKeys

    @field_validator("client_mongodb_url")
    @classmethod
    def _mongodb(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in {"mongodb", "mongodb+srv"} or not rest.partition("/")[2].split("?")[0]:
            raise ValueError("must look like mongodb://host:port/database")
        return url
