"""Each service reads what the other answered at the release before, and what it may answer at the next.

The recorded answers in ``samples/service`` are never edited; what asks is each side's own gateway, over HTTP. The other
direction, recorded and newer requests to today's services, is in the tests of replayed service calls.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from admin.monitoring import dead_letters, status
from admin.outbox.client_gateway import ClientUnavailableError, client_gateway, init_client_gateway
from admin.reconcile import client_copy
from client.admin_gateway import FIRST, AdminGateway
from client.config import ClientSettings
from contract.messages import LikeChanged
from tests.service_calls import recorded, with_more
from tools.stack.ports import HOST

SECRET = "k" * 43
DEAD_LETTER = "1" * 32
OPEN = {"state": "open", "reason": "", "product": None}
BY = "owner@example.com"


def ask_admin(url: str) -> dict[str, Callable[[], Any]]:
    """Return every call of the Client to Admin."""
    gateway = AdminGateway(
        ClientSettings(
            client_mongodb_url=SecretStr("mongodb://127.0.0.1/x"),
            client_secret_key=SecretStr(SECRET),
            client_admin_url=url,
            service_keys=SecretStr(f"k1:{SECRET}"),
        )
    )
    likes = "/service/v1/likes"
    return {
        f"POST {likes}": lambda: gateway.send_likes([LikeChanged(1, "u", 1, liked=True)]),
        f"GET {likes}/digest": lambda: gateway.likes_digest(FIRST, None),
        f"GET {likes}/range": lambda: gateway.likes_range(FIRST, None),
        f"GET {likes}/counts": lambda: gateway.wrong_like_counts(0),
        f"POST {likes}/lookup": lambda: gateway.stored_likes([(1, "u")]),
        f"POST {likes}/recount": lambda: gateway.recount_likes([1]),
        "POST /service/v1/products/states": lambda: gateway.product_states([1]),
    }


def ask_client() -> dict[str, Callable[[], Any]]:
    """Return every call of Admin to the Client; needs an application context."""
    products, dead = "POST /service/v1/products", "POST /service/v1/dead-letters"
    return {
        "POST /service/v1/state": status._client_state,
        f"{products}/replica-states": lambda: client_gateway().replica_states([1, 2]),
        f"{products}/extent": client_copy.extent,
        f"{products}/digests": lambda: client_copy.digests(0, 10),
        f"{products}/entries": lambda: client_copy.listed([1, 2]),
        f"{products}/one": lambda: (client_copy.one(1) or {})["sequence"],
        f"{products}/repair": lambda: client_copy.ask("repair", {})["outcomes"],
        f"{dead}/query": lambda: [item["id"] for item in dead_letters.list_dead_letters({}, 10, None).items],
        f"{dead}/show": lambda: dead_letters.get_dead_letter(DEAD_LETTER)["payload"],
        f"{dead}/resync": lambda: client_gateway().ask("/service/v1/dead-letters/resync", {})["outcomes"][0]["refused"],
        f"{dead}/discard": lambda: dead_letters.change_all(dead_letters.DISCARD, OPEN, BY).accepted,
    }


@contextmanager
def answering(answers: dict[str, Any]) -> Iterator[str]:
    """Serve ``answers`` by method and path; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(answers[f"{self.command} {self.path.partition('?')[0]}"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer

        def log_message(self, *_args: Any) -> None:
            """Log nothing."""

    with HTTPServer((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()


def answers(service: str) -> dict[str, Any]:
    """Return the recorded JSON answers, without images."""
    return {call: sample["answer"] for call, sample in recorded(service).items() if "images" not in call}


@contextmanager
def asking(service: str, given: dict[str, Any]) -> Iterator[dict[str, Callable[[], Any]]]:
    """Yield the calls to ``service``, which gives these answers."""
    with answering(given) as url:
        if service == "admin":
            yield ask_admin(url)
            return
        app = Flask(__name__)
        init_client_gateway(app, url, {"k1": SECRET.encode()})
        with app.app_context():
            yield ask_client()


@pytest.mark.parametrize("service", ["admin", "client"])
def test_recorded_answers_are_read_and_unknown_fields_ignored(service: str) -> None:
    given = answers(service)
    with asking(service, given) as questions:
        assert questions.keys() == given.keys(), "a service call that is not recorded, or not asked here"
        read = {call: ask() for call, ask in questions.items()}
    assert read["POST /service/v1/state" if service == "client" else "GET /service/v1/likes/digest"] is not None
    with asking(service, {call: with_more(answer) for call, answer in given.items()}) as questions:
        assert {call: ask() for call, ask in questions.items()} == read


def test_answer_without_a_required_field_is_an_outage() -> None:
    call = "POST /service/v1/products/replica-states"
    with asking("client", {call: {"states": []}}) as questions, pytest.raises(ClientUnavailableError):
        questions[call]()
