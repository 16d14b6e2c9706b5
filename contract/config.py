"""The broker's settings, read from the environment once."""

from pydantic import Field, SecretStr, field_validator

from runtime import urls
from runtime.settings import Settings


class BrokerSettings(Settings):
    """The broker: both web services, the relay, the worker, beat and Flower."""

    celery_broker_url: SecretStr = Field(
        description="RabbitMQ, `amqp://user:password@host:5672//`, or Valkey, `redis://:password@host:6379/0`."
    )

    @field_validator("celery_broker_url")
    @classmethod
    def _check_transport(cls, url: SecretStr) -> SecretStr:
        for each in url.get_secret_value().split(";"):  # kombu separates several brokers so
            urls.read_server(each, "amqp", "amqps", "redis", "rediss")
        return url

    @property
    def url(self) -> str:
        return self.celery_broker_url.get_secret_value()

    @property
    def keeps_dead_letters(self) -> bool:
        """Whether the broker stores dead letters. Valkey drops them."""
        return self.url.startswith("amqp")


class FlowerSettings(Settings):
    """Flower: Flower alone. Its own documentation describes more settings, such as ``FLOWER_READ_ONLY``."""

    flower_basic_auth: SecretStr | None = Field(
        None,
        description="Accounts of Flower: `user:password` in ASCII, several separated by commas. Flower "
        "does not start without it, unless `FLOWER_AUTH` sets up an OAuth sign-in.",
    )

    @field_validator("flower_basic_auth")
    @classmethod
    def _check_accounts(cls, given: SecretStr | None) -> SecretStr | None:
        users = given.get_secret_value().split(",") if given else []
        if not all(user and password for user, _, password in (account.partition(":") for account in users)):
            raise ValueError("must be user:password, several separated by commas")
        if given and not given.get_secret_value().isascii():  # Flower's comparison would fail for every caller
            raise ValueError("must be in ASCII")
        return given

    @property
    def users(self) -> list[str]:
        return self.flower_basic_auth.get_secret_value().split(",") if self.flower_basic_auth else []
