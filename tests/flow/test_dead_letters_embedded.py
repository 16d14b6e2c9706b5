"""Dead letters over Valkey, which stores none: console and CLI say so and name the alternatives."""

import re

import requests

from tests.flow.operations.operated import run
from tests.flow.running import PASSWORD, STAFF, Running, eventually


def signed_in(base: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{base}/console/sign-in", timeout=20).text
    [token] = set(re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page))
    form = {"csrf_token": token, "email": STAFF, "password": PASSWORD}
    session.post(f"{base}/console/sign-in", data=form, headers={"Referer": f"{base}/"}, timeout=20).raise_for_status()
    return session


def test_console_and_cli_say_that_valkey_stores_no_dead_letters(embedded: Running) -> None:
    product = embedded.product
    call = ["celery", "-A", "tasks", "call", "tasks.sync_product", "--args", '["nonsense"]']
    assert run(call, dict(product.env)).returncode == 0
    eventually(lambda: product.worker.said("reject requeue=False"), what="the failed task")
    with signed_in(product.addresses.admin_url) as session:
        page = session.get(f"{product.addresses.admin_url}/console/dead-letters", timeout=20).text
        overview = session.get(f"{product.addresses.admin_url}/console/", timeout=20).text
    assert "Every message could be processed" not in page
    assert "Valkey drops messages that no worker can process" in page
    assert "state=stuck" in page
    assert "Valkey stores none" in overview
    listed = run(["lockstep", "dead-letters", "list"], dict(product.env))
    assert listed.returncode == 0
    assert "Valkey stores no dead letters" in listed.stderr
