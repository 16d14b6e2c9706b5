"""How Flower runs: ``celery -A tasks flower`` reads this file from its working folder. Beside each setting: why.

What is set here wins over FLOWER_… variables, and the command line over this.
"""

import sys
from typing import Any

from tornado.options import options

from tasks.config import FlowerSettings
from web.settings import SettingsError


def _users() -> list[str]:
    """Return who may come in; ends Flower where that would be everyone."""
    try:
        settings = FlowerSettings()
    except SettingsError as error:
        sys.exit(f"Settings:\n{error}")
    users = settings.users or options.basic_auth
    if not users and not options.auth:
        sys.exit("Settings:\nFLOWER_BASIC_AUTH is not set; see .env.example")
    return users or []


basic_auth = _users()  # from FLOWER_BASIC_AUTH_FILE too, which Flower itself does not read


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
