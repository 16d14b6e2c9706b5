"""What the doctor says is fit to be pasted into a ticket."""

from pydantic import SecretStr

from doctor import host
from doctor.findings import failed
from tasks.config import BrokerSettings


def test_secrets_of_the_settings_are_masked_in_what_a_driver_quotes() -> None:
    settings = BrokerSettings(celery_broker_url=SecretStr("amqp://lockstep:hunter22@there:5672//"))
    finding = failed("broker", "cannot use amqp://lockstep:hunter22@there:5672//, hunter22 refused", "Mend it.")
    assert finding.without(host.secrets([settings])).what == (
        "cannot use amqp://lockstep:********@there:5672//, ******** refused"
    )
