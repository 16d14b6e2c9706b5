"""Typed settings from the environment, by subclasses of ``Settings``.

A setting ``X`` may also be given as ``X_FILE``, the path of a file with the value (a mounted secret), or in a ``.env``
file in the working folder. The environment has priority.
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
    """Settings are missing or invalid; the text names each and says what it must be."""


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
    """Return the settings in ``.env``; empty without the file. Raises SettingsError."""
    try:
        return dotenv_values(".env", encoding=ENCODING)
    except UnicodeDecodeError:
        raise SettingsError(".env is not UTF-8 text") from None


class Settings(BaseSettings):
    """Base of every settings class. Raises SettingsError instead of pydantic's errors.

    From then on its secrets are masked in what this process logs and prints.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding=ENCODING, extra="ignore", frozen=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except UnicodeDecodeError:
            raise SettingsError(".env is not UTF-8 text") from None
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
    """Return one line for a problem, without the value, which may be a secret."""
    name = ".".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set; see .env.example"
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


MIN_SECRET = 32  # characters; there are no default secrets


def _check_length(secret: SecretStr) -> SecretStr:
    """Return ``secret``. Raises ValueError where it is too short for signing."""
    if len(secret.get_secret_value()) < MIN_SECRET:
        raise ValueError(f"must have at least {MIN_SECRET} characters")
    return secret


def _check_header(secret: SecretStr) -> SecretStr:
    """Return ``secret``. Raises ValueError where it cannot be sent in a header in one unambiguous form."""
    if not re.fullmatch("[!-~]*", secret.get_secret_value()):
        raise ValueError("must be ASCII letters, digits and punctuation, without spaces: it is sent in a header")
    return secret


def _http_url(url: str) -> str:
    """Return ``url``. Raises ValueError where it is not HTTP, has no host, or has a user, password or query."""
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


SecretKey = Annotated[SecretStr, AfterValidator(_check_length)]
HeaderSecret = Annotated[SecretKey, AfterValidator(_check_header)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
BaseUrl = Annotated[HttpUrl, AfterValidator(lambda url: url.rstrip("/"))]
ServiceUrl = Annotated[BaseUrl, AfterValidator(_service_url)]


def _origins(text: str) -> str:
    """Return a list of origins without spaces. Raises ValueError for a text that is no origin in a browser."""
    origins = [part.strip() for part in text.split(",") if part.strip()]
    for origin in origins:
        parts = urlsplit(_http_url(origin))
        if origin != f"{parts.scheme}://{parts.netloc}" or "*" in origin or "@" in origin:
            raise ValueError("must be origins such as https://shop.example.com, separated by commas")
    return ",".join(origins)


class WebSettings(Settings):
    """Web: both web services."""

    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        0,
        description="Number of your own proxies in front of the service. It trusts that many values of "
        "`X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, so each proxy has to set or remove "
        "all four. With 0, the caller is the peer of the connection, and TLS is not assumed.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        "",
        description="Sites whose scripts may call the REST APIs: `https://app.example.com`, several "
        "separated by commas.",
    )
    read_only: bool = Field(
        False,
        description="With `true`, changes by staff and shoppers are refused with 403; the sync continues. "
        "Set `FLOWER_READ_ONLY=true` for Flower as well.",
    )
