"""Parse one request: waitress's parser with a stricter check of the head, and the body limit of the route."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError

LINE_BYTES = 4094
FIELD_BYTES = 8190
FIELDS = 50
HEAD_BYTES = 32 * 1024
CHUNKED_BYTES = 2 * 1024 * 1024  # of a body without a Content-Length: the largest JSON of any route

BodyLimit = Callable[[str, str, str], int]
"""The largest body in bytes for a method, a path and a content type."""


class Parser(HTTPRequestParser):
    """Parses a request.

    A body above the limit of its route is not read: the application gets the head alone (``body_refused``), and answers
    with an error.
    """

    body_refused = False

    def __init__(self, adj: Any, body_limit: BodyLimit) -> None:
        super().__init__(adj)
        self._body_limit = body_limit
        self._largest = 0
        self._head_error: HTTPStatus | None = None

    def received(self, data: bytes) -> int:
        """Parse received bytes; return how many belong to this request."""
        in_head = not self.headers_finished
        consumed: int = super().received(data)
        if self.error is None and self.headers_finished:
            self._check_body(in_head)
        if self.error is not None:
            self.version = "1.1"
            if self._head_error is not None:
                self.error.code, self.error.reason = self._head_error, self._head_error.phrase
        if self.completed:
            # Else waitress would ask the client for a body that is refused or does not exist.
            self.expect_continue = False
        return len(data) if self.error is not None or self.body_refused else consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse a head. Raises ParsingError and TransferEncodingNotImplemented."""
        self._check_head(header_plus)
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # such as a malformed address, or a length of 5,000 digits
            raise ParsingError("The request line or a length is malformed.") from error
        if self.version not in {"1.0", "1.1"}:
            raise ParsingError("Only HTTP/1.0 and HTTP/1.1 are supported.")

    def _check_head(self, head: bytes) -> None:
        line, _, rest = head.partition(b"\r\n")
        fields = rest.removesuffix(b"\r\n\r\n").split(b"\r\n")
        if len(line) > LINE_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_URI_TOO_LONG, f"The request line is too long. The limit is {LINE_BYTES} bytes."
            )
        if len(fields) > FIELDS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many header fields. The limit is {FIELDS}.")
        if any(len(field) > FIELD_BYTES for field in fields):
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"A header field is too long. The limit is {FIELD_BYTES} bytes.",
            )
        if any(field.startswith((b" ", b"\t")) for field in fields):
            raise ParsingError("Folded header fields are not supported.")
        _check_framing(line, fields)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        self._head_error = status
        raise ParsingError(detail)

    def _check_body(self, in_head: bool) -> None:
        if in_head and self.body_rcv is not None:
            path = "/" + self.path.lstrip("/")  # as the application gets it
            self._largest = self._body_limit(self.command, path, self.headers.get("CONTENT_TYPE", ""))
            if self.chunked and self._largest > CHUNKED_BYTES:  # a large body needs a Content-Length
                self._refuse_body()
        if self.content_length > self._largest:
            self._refuse_body()
        # The sizes and extensions of the chunks are limited too.
        if self.chunked and self.body_rcv and max(len(self.body_rcv), self.body_bytes_received // 2) > self._largest:
            self.headers["CONTENT_LENGTH"] = str(self.body_bytes_received)
            self._refuse_body()

    def _refuse_body(self) -> None:
        self.close()
        self.body_rcv = None
        self.body_refused = self.completed = True


def _check_framing(line: bytes, fields: list[bytes]) -> None:
    """Refuse a head whose body two servers could delimit differently. Raises ParsingError."""
    codings = [field for field in fields if field.lower().startswith(b"transfer-encoding:")]
    if codings and any(field.lower().startswith(b"content-length:") for field in fields):
        raise ParsingError("A request must not have both Content-Length and Transfer-Encoding.")
    if len(codings) > 1 or any(b"," in coding for coding in codings):
        raise ParsingError("A request must have at most one Transfer-Encoding.")
    if codings and not line.rstrip().endswith(b"HTTP/1.1"):
        raise ParsingError("Transfer-Encoding needs HTTP/1.1.")
