"""Flower's settings, each with its reason. ``celery -A tasks flower`` reads this file from its working folder.

They have priority over FLOWER_… variables; options of the command have priority over them.
"""

import re
import sys
from typing import Any

from tornado.options import options

from contract.config import BrokerSettings, FlowerSettings
from runtime import urls
from runtime.settings import SettingsError


def _users() -> list[str]:
    """Return the accounts, ``user:password`` each. Raises SettingsError, also where access would be open."""
    users = FlowerSettings().users
    if not users and options.basic_auth:  # given to Flower itself
        users = FlowerSettings(flower_basic_auth=",".join(options.basic_auth)).users
    if not users and not options.auth:
        raise SettingsError("FLOWER_BASIC_AUTH is not set; see .env.example")
    return users


def _management() -> str | None:
    """Return the URL of RabbitMQ's management API; Flower adds the broker's user and password to each call.

    Flower's default URL contains both unencoded, which fails with a ``/`` in the password or an IPv6 host.
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
    """Show arguments as ``42@v3, 43@v1`` instead of ``(['42@v3, 43@v1'],)``, and no empty kwargs."""
    task.args = (task.args or "").strip("()[],")
    task.kwargs = "" if task.kwargs == "{}" else task.kwargs
    return task


# The arguments name the products; the routing key is the queue, and thus the lane.
tasks_columns = "name,args,state,received,runtime,routing_key,worker,uuid"
max_tasks = 20_000  # about 60 MB; the logs and Admin's change log go back further
state_save_interval = 60_000  # milliseconds; with --persistent, a kill -9 loses at most this much
purge_offline_workers = 3_600  # seconds; otherwise replaced containers stay in the list
