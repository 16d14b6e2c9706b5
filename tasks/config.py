"""The broker's settings, read from the environment once."""

from pydantic import SecretStr, field_validator

from web import urls
from web.settings import Settings


class BrokerSettings(Settings):
    """Where the queue is.

    ``celery_broker_url``: ``amqp://user:password@host:port/vhost`` (production) or
    ``redis://:password@host:port/0`` (the embedded default, Valkey).
    """

    celery_broker_url: SecretStr

    @field_validator("celery_broker_url")
    @classmethod
    def _known_transport(cls, url: SecretStr) -> SecretStr:
        for one in url.get_secret_value().split(";"):  # kombu's way to name several brokers
            urls.read_server(one, "amqp", "amqps", "redis", "rediss")
        return url

    @property
    def url(self) -> str:
        return self.celery_broker_url.get_secret_value()

    @property
    def keeps_dead_letters(self) -> bool:
        """Whether the broker keeps messages that no worker can process. Valkey drops them."""
        return self.url.startswith("amqp")


class FlowerSettings(Settings):
    """``flower_basic_auth``: who may use Flower, ``user:password``, several separated by commas."""

    flower_basic_auth: SecretStr | None = None

    @field_validator("flower_basic_auth")
    @classmethod
    def _user_and_password(cls, given: SecretStr | None) -> SecretStr | None:
        users = given.get_secret_value().split(",") if given else []
        if not all(user and password for user, _, password in (one.partition(":") for one in users)):
            raise ValueError("must be user:password, several separated by commas")
        if given and not given.get_secret_value().isascii():  # Flower's comparison fails, for every caller
            raise ValueError("must be in ASCII")
        return given

    @property
    def users(self) -> list[str]:
        return self.flower_basic_auth.get_secret_value().split(",") if self.flower_basic_auth else []
