"""How Flower runs: ``celery -A tasks flower`` reads this file from its working folder. Beside each setting: why.

What is set here wins over FLOWER_… variables, and the command line over this.
"""

import re
import sys
from typing import Any

from tornado.options import options

from contract.config import BrokerSettings, FlowerSettings
from runtime import urls
from runtime.settings import SettingsError


def _users() -> list[str]:
    """Return who may come in. Raises SettingsError, also where that would be everyone."""
    users = FlowerSettings().users
    if not users and options.basic_auth:  # given to Flower itself
        users = FlowerSettings(flower_basic_auth=",".join(options.basic_auth)).users
    if not users and not options.auth:
        raise SettingsError("FLOWER_BASIC_AUTH is not set; see .env.example")
    return users


def _management() -> str | None:
    """Return where RabbitMQ's management API answers; Flower adds the broker's user and password to each call.

    Its own default is a URL with both in it, not encoded: a ``/`` in the password cuts it, an IPv6 host breaks it.
    """
    broker = urls.read(BrokerSettings().url.partition(";")[0])
    host = re.sub(r":[0-9]+$", "", broker.hosts[0])
    return options.broker_api or (f"http://{host}:15672/api/" if broker.scheme.startswith("amqp") else None)


try:
    basic_auth = _users()  # from FLOWER_BASIC_AUTH_FILE too, which Flower itself does not read
    broker_api = _management()
except SettingsError as error:
    sys.exit(f"Settings:\n{error}")


def format_task(task: Any) -> Any:
    """Show arguments as people read them, ``42@v3, 43@v1`` for ``(['42@v3, 43@v1'],)``; and no empty kwargs."""
    task.args = (task.args or "").strip("()[],")
    task.kwargs = "" if task.kwargs == "{}" else task.kwargs
    return task


# Which products a task is about is what one looks for; the routing key is the queue, and so the lane.
tasks_columns = "name,args,state,received,runtime,routing_key,worker,uuid"
max_tasks = 20_000  # some 60 MB; the logs and Admin's change log remember longer
state_save_interval = 60_000  # milliseconds; with --persistent: what a kill -9 may cost
purge_offline_workers = 3_600  # seconds; every container that was replaced stays in the list otherwise
