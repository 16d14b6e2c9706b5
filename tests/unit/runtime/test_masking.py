"""Secrets of the settings are masked in every form in which a library may quote them."""

import json
import subprocess
import sys
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from contract.config import BrokerSettings, FlowerSettings
from runtime.masking import MASK, mask
from runtime.settings import SecretKey, Settings
from tools.stack.product import ROOT

PASSWORD = "TOPSÉC/RÉT9:zażółć?\"quoted'"
ENCODED = quote(PASSWORD, safe="")
QUOTED = {
    "as written": f"amqp://u:{ENCODED}@there:5672//",
    "decoded": f"amqp://u:{PASSWORD}@there",
    "cut": f"port {PASSWORD.partition('/')[0]!r} is no number",
    "cut elsewhere": PASSWORD.rpartition(":")[2],
    "by repr": repr(ValueError(PASSWORD)),
    "as bytes": repr(PASSWORD.encode()),
    "in JSON": json.dumps({"error": PASSWORD}),
    "in JSON of a repr": json.dumps({"error": repr(PASSWORD)}),
}


@pytest.mark.parametrize("how", QUOTED)
def test_password_of_a_url_is_masked_in_every_form(how: str) -> None:
    BrokerSettings(celery_broker_url=SecretStr(f"amqp://lockstep:{ENCODED}@there:5672//"))
    masked = mask(QUOTED[how])
    assert MASK in masked
    assert not [part for part in ("TOPS", "RÉT9", "zażó", "quoted", "za\\u017c", "R%C3") if part in masked], masked
    assert mask("lockstep@there:5672 refused") == "lockstep@there:5672 refused"


def test_password_of_each_of_several_brokers_is_masked_and_no_host() -> None:
    BrokerSettings(celery_broker_url=SecretStr("amqp://u:of-first@one.example//;amqp://u:of-second@two.example//"))
    assert (
        mask("amqp://one.example of-first, two.example of-second") == f"amqp://one.example {MASK}, two.example {MASK}"
    )


def test_each_secret_of_a_list_is_masked_and_no_name() -> None:
    FlowerSettings(flower_basic_auth=SecretStr("operator:first-of-them,visitor:second-of-them"))
    assert mask("operator first-of-them, visitor second-of-them") == f"operator {MASK}, visitor {MASK}"


def test_other_secret_is_masked_as_a_whole() -> None:
    class Keys(Settings):
        some_secret_key: SecretKey

    Keys(some_secret_key=SecretStr("one:two/three?" * 4))
    assert mask(f"{'one:two/three?' * 4} three") == f"{MASK} three"


PRINTS = """
import threading
from pydantic import SecretStr
from contract.config import BrokerSettings
from runtime import uncaught

uncaught.explain()
BrokerSettings(celery_broker_url=SecretStr("amqp://u:TOPSEC%2FRET9@there"))

def fail():
    raise ValueError("TOPSEC is no port of TOPSEC/RET9") from ValueError("RET9")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_secrets_are_masked_in_tracebacks_of_every_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count(f"ValueError: {MASK} is no port of {MASK}") == 2, done.stderr
    assert "RET9" not in done.stderr


LOGS = """
import logging, sys
import structlog
from pydantic import SecretStr
from contract.config import BrokerSettings
from runtime import logs

logs.configure()
BrokerSettings(celery_broker_url=SecretStr("amqp://u:TOPS%C3%89C%2FRET9@there"))
try:
    raise ValueError("TOPSÉC is no port")
except ValueError as error:
    structlog.get_logger("x").warning("failed", error=repr(error), exc_info=True)
    logging.getLogger("y").exception("failed with %s", "RET9")
"""


def test_secrets_are_masked_in_logs_with_tracebacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGS], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) == 2
    assert lines[0]["error"] == f"ValueError('{MASK} is no port')"
    assert f"ValueError: {MASK} is no port" in lines[1]["exception"]
    assert "RET9" not in done.stderr
