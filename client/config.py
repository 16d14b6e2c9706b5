"""The Client's settings, read from the environment once (see ``.env.example``)."""

from typing import Self

from pydantic import SecretStr, field_validator, model_validator

from web.settings import BaseUrl, SecretKey, Settings
from web.signatures import ServiceKeys


class ClientSettings(Settings):
    """``client_mongodb_url``: ``mongodb://…`` with the database's name; ``client_secret_key``: signs tokens and
    cursors; ``client_admin_url``: base URL of Admin; ``service_keys``: ``key-id:secret[,…]``, shared with Admin.

    ``client_oidc_issuer``, ``client_oidc_client_id`` and ``client_oidc_client_secret``: who else signs shoppers in.
    """

    client_mongodb_url: SecretStr
    client_secret_key: SecretKey
    client_admin_url: BaseUrl
    service_keys: ServiceKeys
    client_oidc_issuer: BaseUrl | None = None
    client_oidc_client_id: str = ""
    client_oidc_client_secret: SecretStr = SecretStr("")

    @field_validator("client_oidc_client_id", "client_oidc_client_secret")
    @classmethod
    def _of_the_issuer(cls, given: str | SecretStr) -> str | SecretStr:
        if "change-me" in (given, given.get_secret_value() if isinstance(given, SecretStr) else ""):
            raise ValueError("must be what the issuer gave the shop")
        return given

    @model_validator(mode="after")
    def _issuer_and_client(self) -> Self:
        if bool(self.client_oidc_issuer) != bool(self.client_oidc_client_id):
            raise ValueError("CLIENT_OIDC_ISSUER and CLIENT_OIDC_CLIENT_ID go together")
        return self

    @field_validator("client_mongodb_url")
    @classmethod
    def _mongodb(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in {"mongodb", "mongodb+srv"} or not rest.partition("/")[2].split("?")[0]:
            raise ValueError("must look like mongodb://host:port/database")
        return url
