"""Answer one request in a thread: by the application, or as a problem where the request is malformed."""

import json
from http import HTTPStatus
from typing import Any

import structlog
from waitress.task import ErrorTask, WSGITask

from runtime.correlation import HEADER, new_id
from web.http.problems import PROBLEM_TYPE

log = structlog.get_logger(__name__)


class Answer(WSGITask):
    """The application's answer. It closes the connection where the body was not read or the worker stops."""

    def build_response_header(self) -> bytes:
        if self.request.body_refused or not self.channel.server.accepting:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head


class Refusal(ErrorTask):
    """The answer to malformed HTTP or a head above the limits: ``application/problem+json``."""

    def execute(self) -> None:
        self.request.error = _Problem(self.request.error)
        super().execute()


class _Problem:
    def __init__(self, error: Any) -> None:
        self._status, self._detail = HTTPStatus(error.code), str(error.body)

    def to_response(self, _ident: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        status, request_id = self._status, new_id()
        log.info("request refused", status=int(status), reason=self._detail, request_id=request_id)
        body = {
            "type": "about:blank",
            "title": status.phrase,
            "status": int(status),
            "detail": self._detail,
            "request_id": request_id,
            "errors": [],
        }
        headers = [("Content-Type", PROBLEM_TYPE), (HEADER, request_id), ("X-Content-Type-Options", "nosniff")]
        return f"{int(status)} {status.phrase}", headers, json.dumps(body).encode()
