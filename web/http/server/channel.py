"""A client's connection: waitress's channel, extended by its wait and deadline, and by a close that loses no answer."""

import math
import socket
import struct
import time
from contextlib import suppress
from enum import Enum
from typing import Any

from waitress.channel import HTTPChannel

from web.http.server.answers import Answer, Refusal
from web.http.server.limits import Limits
from web.http.server.parser import Parser


class Waits(Enum):
    """What a connection waits for. All but WORK depend on the client."""

    IDLE = "for a request"
    ARRIVAL = "for the rest of a request"
    WORK = "for the application"
    DELIVERY = "for the client to read the answer"
    CLOSE = "for the client to close"


class Channel(HTTPChannel):
    """A connection. The event loop calls the methods that waitress does not."""

    task_class = Answer
    error_task_class = Refusal
    will_close: bool  # in the next iteration of the loop

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        self.since = time.monotonic()
        self._moved = 0  # bytes, in either direction
        self._moved_before = 0  # before the current wait began
        self._answered = 0
        self._closing = False
        self._wait: tuple[Waits, int] | None = None
        super().__init__(server, sock, addr, adj, map=map)

    def parser_class(self, adj: Any) -> Parser:
        return Parser(adj, self.server.body_limit)

    def recv(self, buffer_size: int) -> bytes:
        data: bytes = super().recv(buffer_size)
        self._moved += len(data)
        return data

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self._moved += sent
        return sent

    def received(self, data: bytes) -> bool:
        """Parse received bytes, and drop those after a refused request."""
        return not self._closing and bool(super().received(data))

    def service(self) -> None:
        super().service()
        self._answered += 1

    def handle_close(self) -> None:
        """Close; after a complete answer the client closes first, or bytes that it still sends reset the answer."""
        flushed = self.will_close and self.connected and not self.total_outbufs_len
        if flushed and not self._closing:
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.drop()
            self._closing, self.will_close = True, False
        else:
            self.drop()

    def drop(self) -> None:
        """Close at once, and let the kernel discard unsent bytes, which it would otherwise keep for the client."""
        if self.connected and self.total_outbufs_len:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().handle_close()
        if self.request is not None:
            self.request.close()

    @property
    def waits(self) -> Waits:
        if self._closing:
            return Waits.CLOSE
        if self.total_outbufs_len:
            return Waits.DELIVERY
        if self.requests:
            return Waits.WORK
        return Waits.IDLE if self.request is None else Waits.ARRIVAL

    @property
    def idle_after_answer(self) -> bool:
        """Return whether the connection was answered and is idle."""
        return self._answered > 0 and self.waits is Waits.IDLE

    @property
    def buffered(self) -> int:
        """Return the number of bytes buffered of this client's body and answers."""
        body = getattr(self.request, "body_rcv", None)
        return int(self.total_outbufs_len) + (len(body) if body is not None else 0)

    def observe(self, now: float) -> None:
        """Record the current wait and its start. ``now`` is monotonic."""
        wait = self.waits, self._answered
        if wait != self._wait:
            self._wait, self.since, self._moved_before = wait, now, self._moved

    def speed(self, now: float) -> float:
        """Return the bytes per second moved since ``since``."""
        return (self._moved - self._moved_before) / (now - self.since + 1)

    def deadline(self, limits: Limits) -> float:
        """Return the end of the current wait for the client, in monotonic time."""
        waits = self.waits
        if waits is Waits.WORK:
            return math.inf
        if waits is Waits.CLOSE:
            return self.since + limits.linger_seconds
        if self.idle_after_answer:
            return self.since + limits.keepalive_seconds
        seconds = limits.delivery_seconds if waits is Waits.DELIVERY else limits.arrival_seconds
        return self.since + seconds + (self._moved - self._moved_before) / limits.bytes_per_second
