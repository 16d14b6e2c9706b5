"""Typed settings from the environment: each service subclasses ``Settings`` once.

A setting ``X`` may also be given as ``X_FILE``, a path to a file that holds the value (a mounted secret), or
in a ``.env`` file in the working folder. The environment wins.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime import masking, urls

ENCODING = "utf-8-sig"  # of files; editors on Windows begin one with a byte-order mark


class SettingsError(Exception):
    """Settings that are missing or wrong; the text names each and says what it must be."""


class _FileSource(PydanticBaseSettingsSource):
    """Reads ``X_FILE`` for a setting ``X``."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if path is None:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding=ENCODING).strip(), field_name, False
        except OSError as error:
            raise SettingsError(f"{field_name.upper()}_FILE: cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise SettingsError(f"{field_name.upper()}_FILE: {path} is not UTF-8 text") from None

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(None, name)[0] for name in self.settings_cls.model_fields}
        return {name: value for name, value in values.items() if value is not None}


def read_dotenv() -> dict[str, str | None]:
    """Return what ``.env`` gives a value; empty without the file. Raises SettingsError."""
    try:
        return dotenv_values(".env", encoding=ENCODING)
    except UnicodeDecodeError:
        raise SettingsError(".env: is not UTF-8 text") from None


class Settings(BaseSettings):
    """Base of every settings class. Raises SettingsError, never a traceback of pydantic's.

    Its secrets are masked in what this process logs and prints from then on.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding=ENCODING, extra="ignore", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except UnicodeDecodeError:
            raise SettingsError(".env: is not UTF-8 text") from None
        except ValidationError as error:
            raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None
        for name, value in self:
            if isinstance(value, SecretStr):
                remember = masking.remember_url if name.endswith("_url") else masking.remember
                remember(value.get_secret_value())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSource(settings_cls), dotenv_settings


def _explain(problem: Any) -> str:
    """One line for one problem; never with the value, which may be a secret."""
    name = ".".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set; see .env.example"
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


MIN_SECRET = 32  # characters; there are no default secrets


def _long_enough(secret: SecretStr) -> SecretStr:
    """Return ``secret``; raises ValueError when it is too short to sign with."""
    if len(secret.get_secret_value()) < MIN_SECRET:
        raise ValueError(f"must have at least {MIN_SECRET} characters")
    return secret


def _in_a_header(secret: SecretStr) -> SecretStr:
    """Return what callers send in a header; raises ValueError where they could not, or not all in the same bytes."""
    if not re.fullmatch("[!-~]*", secret.get_secret_value()):
        raise ValueError("must be ASCII letters, digits and punctuation, without spaces: it is sent in a header")
    return secret


def _http_url(url: str) -> str:
    """Return a URL as it is; raises ValueError when it is not HTTP, names no host, or holds more than an address."""
    try:
        parts = urls.read(url, "http", "https")
        valid = len(parts.hosts) == 1 and url.isascii()
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must be an http:// or https:// URL with a host, in ASCII")
    if parts.user is not None or parts.query or "?" in url:
        raise ValueError("must have no user, password or query")
    return url


def _service_url(url: str) -> str:
    if urls.read(url).path:
        raise ValueError(
            "must have no path: the services sign the path of each call, so it must reach the other service unchanged"
        )
    return url


SecretKey = Annotated[SecretStr, AfterValidator(_long_enough)]
HeaderSecret = Annotated[SecretKey, AfterValidator(_in_a_header)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
BaseUrl = Annotated[HttpUrl, AfterValidator(lambda url: url.rstrip("/"))]
ServiceUrl = Annotated[BaseUrl, AfterValidator(_service_url)]


def _origins(text: str) -> str:
    """Return a list of origins without its spaces; raises ValueError for what no browser would send as one."""
    origins = [part.strip() for part in text.split(",") if part.strip()]
    for origin in origins:
        parts = urlsplit(_http_url(origin))
        if origin != f"{parts.scheme}://{parts.netloc}" or "*" in origin or "@" in origin:
            raise ValueError("must be origins such as https://shop.example.com, separated by commas")
    return ",".join(origins)


class WebSettings(Settings):
    """Callers: both web services."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        0,
        description="How many proxies in front of the service are yours. It trusts that many values of "
        "`X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, so each proxy has to set or remove "
        "all four. With 0, the caller is the peer of the connection, and TLS is never assumed.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="Sites whose scripts may use the REST APIs: `https://app.example.com`, several "
        "separated by commas.",
    )
    read_only: bool = Field(
        False,
        description="`true` refuses with 403 whatever staff and shoppers would change; the sync continues. "
        "Set `FLOWER_READ_ONLY=true` for Flower as well.",
    )
