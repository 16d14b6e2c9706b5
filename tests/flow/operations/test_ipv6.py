"""The product on IPv6: every server binds and is reached at ``::1``."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.flow.operations.operated import TOKEN, Operated, log_of
from tests.flow.running import eventually
from tools.faults.proxy import Proxy
from tools.stack.ports import free_port
from tools.stack.process import Process
from tools.stack.product import FLOWER_USER

HOST = "[::1]"
URLS = ("ADMIN_DATABASE_URL", "CLIENT_MONGODB_URL", "CELERY_BROKER_URL", "ADMIN_CLIENT_URL", "CLIENT_ADMIN_URL")


@pytest.fixture(scope="module")
def by_ipv6(operated: Operated) -> Iterator[dict[str, str]]:
    """The product's settings, with every server at ``[::1]``."""
    with ExitStack() as stack:

        def moved(found: re.Match[str]) -> str:
            return f"{HOST}:{stack.enter_context(Proxy(int(found[1]), host='::1')).port}"

        env = dict(operated.product.env)
        yield {name: re.sub(r"127\.0\.0\.1:(\d+)", moved, env[name]) for name in URLS}


def test_doctor_reaches_everything(operated: Operated, by_ipv6: dict[str, str]) -> None:
    said = operated.lockstep("doctor", **by_ipv6)
    assert (said.returncode, "Nothing is wrong." in said.stdout) == (0, True), said.stdout + said.stderr


def test_web_services_and_flower_are_bound_and_the_relay_is_scraped(
    operated: Operated, by_ipv6: dict[str, str]
) -> None:
    product = operated.product
    ports = {name: free_port() for name in ("admin", "client", "flower", "relay")}
    folder = operated.folder / "ipv6"
    folder.mkdir()
    commands = {
        "admin": ["gunicorn", "-c", "gunicorn.conf.py", "-b", f"{HOST}:{ports['admin']}", "admin:create_app()"],
        "client": ["gunicorn", "-c", "gunicorn.conf.py", "-b", f"{HOST}:{ports['client']}", "client:create_app()"],
        "flower": ["celery", "-A", "tasks", "flower", "--address=::1", f"--port={ports['flower']}"],
        "relay": ["lockstep", "relay", "--heartbeat", str(folder / "relay.heartbeat")],
    }
    env = {**product.env, **by_ipv6, "METRICS_ADDRESS": f"{HOST}:{ports['relay']}"}
    asked = {"admin": "/readyz", "client": "/readyz", "flower": "/broker", "relay": "/metrics"}
    auth = (FLOWER_USER, product.env["FLOWER_BASIC_AUTH"].partition(":")[2])
    processes = {
        name: Process(name, command, log=folder / f"{name}.log", env=env, cwd=product.flower.cwd)
        for name, command in commands.items()
    }

    def status(name: str) -> int:
        headers = {"Authorization": f"Bearer {TOKEN}"} if name == "relay" else {}
        try:
            url = f"http://{HOST}:{ports[name]}{asked[name]}"
            return requests.get(url, auth=auth if name == "flower" else None, headers=headers, timeout=15).status_code
        except requests.RequestException:
            return 0

    try:
        for process in processes.values():
            process.start()
        for name in processes:
            eventually(lambda: status(name) == 200, within=60, what=name)  # noqa: B023 - asked at once
    finally:
        for process in processes.values():
            process.stop()
    assert "Traceback" not in log_of(processes["flower"])
