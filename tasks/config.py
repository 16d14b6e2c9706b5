"""The broker's settings, read from the environment once."""

from pydantic import SecretStr, field_validator

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
        if not url.get_secret_value().startswith(("amqp://", "amqps://", "redis://", "rediss://")):
            raise ValueError("must start with amqp://, amqps://, redis:// or rediss://")
        return url

    @property
    def url(self) -> str:
        return self.celery_broker_url.get_secret_value()
