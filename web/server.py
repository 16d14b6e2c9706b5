"""gunicorn's threaded worker, but slow clients wait outside: a thread is spent on a request that has arrived.

gunicorn gives a connection to a thread at its first byte, so eight clients that send a byte a minute would stop the
service. Here a request waits in the worker's event loop until its head is complete, and its body up to PEEK bytes; what
takes longer than ARRIVE_SECONDS is closed. Larger bodies (uploads) may hold half of the threads, and no thread waits
for a silent client longer than SILENCE_SECONDS. A proxy in front that buffers requests makes this idle.
"""

import re
import selectors
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

ARRIVE_SECONDS = 15
SILENCE_SECONDS = 10
STOP_SECONDS = 2  # what is on its way when the worker stops
PEEK = 32 * 1024  # bytes; no head is larger

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)

WAIT, READY, LARGE, REFUSED = "wait", "ready", "large", "refused"


def arrived(data: bytes) -> str:
    """Say whether what was peeked of a request is worth a thread; malformed ones are, to be refused."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return REFUSED if len(data) >= PEEK else WAIT
    room = PEEK - len(head) - len(end)
    if _CHUNKED.search(head):
        whole = body.startswith(b"0\r\n\r\n") or b"\r\n0\r\n\r\n" in body
        return READY if whole else LARGE if len(body) >= room else WAIT
    length = _LENGTH.search(head)
    wanted = int(length[1]) if length else 0
    if len(body) >= wanted:
        return READY
    return LARGE if len(body) >= room else WAIT


class Worker(ThreadWorker):
    """Keeps connections in the event loop until their request has arrived."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._large: set[Any] = set()
        self._queued: deque[Any] = deque()  # large ones that wait for a thread

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread, or let it wait here. In the event loop's thread."""
        state = self._state(conn)
        if state == WAIT:
            self._wait(conn)
        elif state == REFUSED:
            self._refuse(conn)
        elif state == LARGE and len(self._large) >= max(1, self.cfg.threads // 2):
            self._queued.append(conn)
        else:
            if state == LARGE:
                self._large.add(conn)
            conn.arriving_until, conn.data_ready = None, True
            super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Handle a request in a thread, which no silence holds for long."""
        conn.init()
        conn.sock.setblocking(True)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE_SECONDS, 0))
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        self._large.discard(conn)
        super().finish_request(conn, fs)
        if self._queued:
            self.enqueue_req(self._queued.popleft())

    def murder_pending(self) -> None:
        """Close what did not arrive in time; the queue is not in the order of deadlines here."""
        now = time.monotonic()
        end = now if self.alive else now + ARRIVE_SECONDS - STOP_SECONDS
        for conn in [conn for conn in self.pending_conns if conn.timeout <= end]:
            self._stop_waiting(conn)
            self.nr_conns -= 1
            conn.close()

    def _state(self, conn: Any) -> str:
        if conn.parser is not None and (conn.is_http2 or conn.parser.unreader.buf.getvalue()):
            return READY  # read ahead already
        try:
            data = conn.sock.recv(PEEK, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            conn.peeked = 0
            return WAIT
        except OSError:
            return READY  # a thread finds out and closes
        conn.peeked = len(data)
        return arrived(data) if data else READY

    def _wait(self, conn: Any) -> None:
        if getattr(conn, "arriving_until", None) is None:
            conn.arriving_until = time.monotonic() + ARRIVE_SECONDS
        conn.timeout = conn.arriving_until
        conn.sock.setblocking(False)
        # Readable again when there is more than was seen.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, conn.peeked + 1)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))

    def _refuse(self, conn: Any) -> None:
        with suppress(OSError):
            conn.sock.send(_TOO_LARGE, socket.MSG_DONTWAIT)
        self.nr_conns -= 1
        conn.close(graceful=True)

    def _more(self, conn: Any, _sock: Any) -> None:
        self._stop_waiting(conn)
        self.enqueue_req(conn)

    def _stop_waiting(self, conn: Any) -> None:
        self.pending_conns.remove(conn)
        self.poller.unregister(conn.sock)
