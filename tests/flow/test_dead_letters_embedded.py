"""Dead letters over Valkey, which stores none: console and CLI say so and name the alternatives."""

import requests

from tests.browser.sign_ins import sign_in_by_form
from tests.flow.operations.operated import run
from tests.flow.running import STAFF, Running, eventually


def test_console_and_cli_say_that_valkey_stores_no_dead_letters(embedded: Running) -> None:
    product = embedded.product
    call = ["celery", "-A", "tasks", "call", "tasks.sync_product", "--args", '["nonsense"]']
    assert run(call, dict(product.env)).returncode == 0
    eventually(lambda: product.worker.said("reject requeue=False"), what="the failed task")
    console = f"{product.addresses.admin_url}/console"
    cookies = sign_in_by_form(f"{console}/sign-in", STAFF)
    page, overview = (
        requests.get(f"{console}/{name}", cookies=cookies, timeout=20).text for name in ("dead-letters", "")
    )
    assert "Every message could be processed" not in page
    assert "Valkey drops messages that no worker can process" in page
    assert "state=stuck" in page
    assert "Valkey stores none" in overview
    listed = run(["lockstep", "dead-letters", "list"], dict(product.env))
    assert listed.returncode == 0
    assert "Valkey stores no dead letters" in listed.stderr
