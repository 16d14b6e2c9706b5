"""A process imports only the parts that it uses: imports are most of a command's time, and of a process's memory."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

PAGES = ("flask_limiter", "flask_wtf", "flask_talisman", "web.pages", "admin.console", "client.storefront")
REST = ("flask_smorest", "marshmallow", "admin.rest", "client.rest")
SERVICES = ("admin", "client", "flask", "sqlalchemy", "pymongo", "mongoengine")
CLIENTS_LIBRARIES = ("client", "flask", "pymongo", "mongoengine", "requests", "sqlalchemy")

NEVER_IMPORTED: Mapping[str, tuple[str, ...]] = {
    # what is run: the packages that it must not import
    "import lockstep.main": (*SERVICES, "celery", "kombu", "requests", "rich.progress"),
    "import admin.cli.sync": (*PAGES, *REST, "alembic", "zxcvbn", "PIL", "client"),
    "import admin.cli.relay": (*PAGES, "admin.rest", "alembic", "zxcvbn", "client"),
    "import admin.cli.import_export": (*PAGES, "admin.rest", "alembic", "zxcvbn", "client"),
    "import admin.cli.migrate, client.cli.migrate": (*PAGES, *REST, "zxcvbn"),
    "import client.cli.likes": (*PAGES, *REST, "sqlalchemy", "admin"),
    "import tasks; tasks.celery.conf.beat_schedule": CLIENTS_LIBRARIES,  # beat and Flower
    "import web.http.server, tools.stack.demo.run": (*SERVICES, "celery", "kombu"),  # gunicorn's own process; the demo
    "import tasks; tasks.celery; tasks.import_bodies()": (*PAGES, "client.rest", "admin", "sqlalchemy", "zxcvbn"),
}


@pytest.mark.parametrize("run", NEVER_IMPORTED)
def test_process_imports_no_part_that_it_does_not_use(run: str) -> None:
    names = NEVER_IMPORTED[run]
    script = f"{run}\nimport sys\nsys.exit(' '.join(sorted(set({names}) & set(sys.modules))) or 0)"
    env = {"CELERY_BROKER_URL": "amqp://guest@127.0.0.1//"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_worker_that_cannot_import_a_task_ends_instead_of_discarding_messages() -> None:
    script = (
        "import tasks\ntasks.WORKER_IMPORTS += ('tasks.missing',)\n"
        "from celery.signals import celeryd_init\ntasks.celery\nceleryd_init.send(sender='worker@here')"
    )
    env = {"CELERY_BROKER_URL": "amqp://guest@127.0.0.1//"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No module named 'tasks.missing'" in done.stderr
