"""The Client's settings, read from the environment once (see ``.env.example``)."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from runtime import masking, urls
from runtime.settings import BaseUrl, HttpUrl, SecretKey, ServiceUrl, Settings
from web.security.signatures import ServiceKeys


class ClientSettings(Settings):
    """The Client: its web service, the Celery worker, and the commands for shoppers and likes."""

    client_mongodb_url: SecretStr = Field(
        description="The database of the copy and the likes: "
        "`mongodb://user:password@host:27017/database?replicaSet=rs0`."
    )
    client_secret_key: SecretKey = Field(
        description="Signs the tokens of shoppers and the cursors of lists. At least 32 characters, the "
        "same in every process of the Client."
    )
    client_admin_url: ServiceUrl = Field(
        description="Base URL of Admin's web service, without a path: `http://127.0.0.1:5001`. Likes are "
        "forwarded there."
    )
    service_keys: ServiceKeys
    client_oidc_issuer: HttpUrl | None = Field(
        None,
        description="Another service that signs shoppers in (OpenID Connect): its address, exactly as its "
        "tokens name it, with a `/` at the end if they have one. Register "
        "`https://SHOP/sign-in/oidc/done` there.",
    )
    client_oidc_client_id: str = Field("", description="The id that the issuer gave the shop, in ASCII.")
    client_oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The secret that the issuer gave the shop, in ASCII."
    )
    client_public_url: BaseUrl | None = Field(
        None,
        description="Public URL of the shop: `https://shop.example.com`. Required with an issuer, "
        "which redirects browsers to it.",
    )

    @field_validator("client_oidc_client_id", "client_oidc_client_secret")
    @classmethod
    def _of_the_issuer(cls, given: str | SecretStr) -> str | SecretStr:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if text == "change-me" or not text.isascii():  # RFC 6749, appendix A: ASCII
            raise ValueError("must be what the issuer gave the shop, in ASCII")
        return given

    @model_validator(mode="after")
    def _issuer_and_client(self) -> Self:
        if bool(self.client_oidc_issuer) != bool(self.client_oidc_client_id):
            raise ValueError("CLIENT_OIDC_ISSUER and CLIENT_OIDC_CLIENT_ID go together")
        if self.client_oidc_issuer and not self.client_public_url:
            raise ValueError("CLIENT_OIDC_ISSUER needs CLIENT_PUBLIC_URL, to which it redirects browsers")
        return self

    @field_validator("client_mongodb_url")
    @classmethod
    def _mongodb(cls, url: SecretStr) -> SecretStr:
        parts = urls.read(url.get_secret_value(), "mongodb", "mongodb+srv")
        if not parts.hosts or not parts.path.strip("/"):
            raise ValueError("must look like mongodb://host:port/database")
        if parts.scheme == "mongodb":  # mongodb+srv needs the DNS
            _read_as_the_driver(url.get_secret_value())
        return url


def _read_as_the_driver(url: str) -> None:
    """Raise ValueError with the driver's reason where it refuses an option or the database's name."""
    from pymongo.errors import PyMongoError  # not at the top: checking the settings should not load the driver
    from pymongo.uri_parser import parse_uri

    masking.remember_url(url)
    try:
        parse_uri(url)
    except (PyMongoError, ValueError, OSError) as error:
        raise ValueError(f"cannot be used: {masking.mask(str(error))}") from None
