"""The Client's settings, read from the environment once (see ``.env.example``)."""

from pydantic import SecretStr, field_validator

from web.settings import Settings, http_base, long_enough
from web.signatures import parse_keys


class ClientSettings(Settings):
    """``client_mongodb_url``: ``mongodb://…`` with the database's name; ``client_secret_key``: signs tokens and
    cursors; ``client_admin_url``: base URL of Admin; ``service_keys``: ``key-id:secret[,…]``, shared with Admin.
    """

    client_mongodb_url: SecretStr
    client_secret_key: SecretStr
    client_admin_url: str
    service_keys: SecretStr

    @field_validator("client_mongodb_url")
    @classmethod
    def _mongodb(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in {"mongodb", "mongodb+srv"} or not rest.partition("/")[2].split("?")[0]:
            raise ValueError("must look like mongodb://host:port/database")
        return url

    @field_validator("client_secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        return long_enough(secret)

    @field_validator("client_admin_url")
    @classmethod
    def _http(cls, url: str) -> str:
        return http_base(url)

    @field_validator("service_keys")
    @classmethod
    def _keys(cls, keys: SecretStr) -> SecretStr:
        parse_keys(keys)
        return keys
