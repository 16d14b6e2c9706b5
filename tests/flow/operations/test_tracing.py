"""One trace covers the HTTP write on Admin and the write in MongoDB."""

import json
import secrets
import subprocess
import sys
from typing import Any

from tests.flow.operations.operated import Operated
from tests.flow.running import eventually
from tests.flow.stores import CONTENT, unique_name
from tools.stack.product import ROOT


def spans(operated: Operated, trace: str) -> list[dict[str, Any]]:
    if not operated.spans.exists():
        return []
    lines = operated.spans.read_text(encoding="utf-8").splitlines()
    return [span for line in lines if line and (span := json.loads(line))["trace"] == trace]


def test_one_trace_leads_from_the_http_write_to_the_write_in_mongodb(operated: Operated) -> None:
    """The trace begins with the caller's span: ``traceparent`` is honoured."""
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    headers = {"traceparent": f"00-{trace}-{caller}-01"}
    content = {**CONTENT, "sku": unique_name()}
    assert operated.admin.request("POST", "/api/v1/products", json=content, headers=headers).status_code == 201

    def seen() -> set[tuple[str, str]]:
        return {(span["service"], span["name"]) for span in spans(operated, trace)}

    def complete() -> bool:
        named = seen()
        mongo = any(service == "lockstep-worker" and "update" in name for service, name in named)
        sql = any(service == "lockstep-admin" and name.startswith("INSERT") for service, name in named)
        senders = {service for service, name in named if name == "send products"}
        return mongo and sql and bool(senders) and ("lockstep-worker", "apply products") in named

    eventually(complete, what=f"the trace; seen: {seen()}")
    found = {span["span"]: span for span in spans(operated, trace)}
    [request] = [span for span in found.values() if span["parent"] == caller]
    assert request["name"] == "POST /api/v1/products"
    write = next(s for s in found.values() if s["service"] == "lockstep-worker" and "update" in s["name"])
    path = [write["name"]]
    while write["parent"] in found:
        write = found[write["parent"]]
        path.append(write["name"])
    assert path[-2:] == ["apply products", "POST /api/v1/products"]


def test_spans_hold_no_query_and_no_values(operated: Operated) -> None:
    trace, secret = secrets.token_hex(16), f"secret{unique_name()}"
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    operated.admin.request("GET", f"/api/v1/products?q={secret}", headers=headers)
    eventually(lambda: any(span["name"].startswith("GET") for span in spans(operated, trace)))
    assert secret not in operated.spans.read_text(encoding="utf-8")


def test_disabled_tracing_imports_no_library(operated: Operated) -> None:
    script = (
        "import sys; from admin import create_app as admin; from client import create_app as client;"
        "admin(); client(); import tasks.products, tasks.tracing;"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith('opentelemetry')) or 0)"
    )
    env = {key: value for key, value in operated.product.env.items() if not key.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
