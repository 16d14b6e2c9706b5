"""Errors of invalid settings name the setting and what to change, without any part of the value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.admin.catalogue import KEYS, SECRET
from tools.stack.product import ROOT

PARTS = ("TOPSEC", "RET9")
WRONG = {
    "CELERY_BROKER_URL": "amqp://u:TOPSEC/RET9@127.0.0.1:1//",
    "ADMIN_DATABASE_URL": "mysql+pymysql://u:TOPSEC%zzRET9@127.0.0.1:1/admin",
    "CLIENT_MONGODB_URL": "mongodb://u:TOPSEC@RET9@127.0.0.1:1/shop",
}
COMMANDS = {
    "lockstep doctor": tuple(WRONG),
    "lockstep health worker": ("CELERY_BROKER_URL",),
    "lockstep sync status": ("ADMIN_DATABASE_URL",),
    "lockstep likes status": ("CLIENT_MONGODB_URL",),
    "celery -A tasks inspect ping": ("CELERY_BROKER_URL",),
    "celery -A tasks beat": ("CELERY_BROKER_URL",),
    "celery -A tasks worker": ("CELERY_BROKER_URL",),
    "celery -A tasks flower": ("CELERY_BROKER_URL",),
    "lockstep dead-letters list": ("CLIENT_MONGODB_URL",),
}


@pytest.mark.parametrize("line", COMMANDS)
def test_invalid_url_is_named_without_any_part_of_it(line: str, tmp_path: Path) -> None:
    env = dict(os.environ) | {
        "ADMIN_DATABASE_URL": f"sqlite:///{tmp_path / 'admin.db'}",
        "ADMIN_SECRET_KEY": SECRET,
        "ADMIN_CLIENT_URL": "http://127.0.0.1:1",
        "CLIENT_MONGODB_URL": "mongodb://127.0.0.1:1/shop",
        "CLIENT_SECRET_KEY": SECRET,
        "CLIENT_ADMIN_URL": "http://127.0.0.1:1",
        "SERVICE_KEYS": KEYS,
        "FLOWER_BASIC_AUTH": "operator:of-flower",
    }
    env |= {name: WRONG[name] for name in COMMANDS[line]}
    program, *arguments = line.split()
    command = [str(Path(sys.executable).parent / program), *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert [name for name in COMMANDS[line] if f"{name}: is not a valid URL" not in said] == [], said
    assert "Traceback" not in said
    assert [part for part in PARTS if part in said] == []
