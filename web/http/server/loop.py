"""The event loop of one worker process: it accepts, reads, sends, and disconnects clients that exceed the limits."""

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from socket import AF_UNIX, socket
from typing import Any

import structlog
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher

from web.http.server.channel import Channel, Waits
from web.http.server.limits import Limits
from web.http.server.parser import HEAD_BYTES, BodyLimit

LOOK_SECONDS = 1  # how often deadlines are compared with the clock
_ACCEPTS = 64
_SPARE = 64  # connections beyond the limit, while all others are at work

log = structlog.get_logger(__name__)


class _Listener:
    """What both kinds of listening socket do differently from waitress's own."""

    channel_class = Channel
    active_channels: dict[int, Channel]
    loop: "EventLoop"

    @property
    def body_limit(self) -> BodyLimit:
        return self.loop.body_limit

    def handle_accept(self) -> None:
        """Accept several connections: with many open, each turn of the loop is long."""
        for _ in range(_ACCEPTS):
            self.loop.make_room()
            before = len(self.active_channels)
            super().handle_accept()  # type: ignore[misc]
            if len(self.active_channels) == before:
                break

    def add_task(self, channel: Channel) -> None:
        self.loop.add_task(channel)

    def maintenance(self, now: float) -> None:
        """Nothing: the loop knows more about deadlines."""


class _TcpListener(_Listener, TcpWSGIServer):
    pass


class _UnixListener(_Listener, UnixWSGIServer):
    pass


class _Wake(wasyncore.file_dispatcher):
    """Ends a wait of the loop when a signal's number is written to a pipe."""

    def handle_read(self) -> None:
        self.recv(4096)

    def writable(self) -> bool:
        return False


class EventLoop:
    """Serves an application on listening sockets.

    Args:
        application: a WSGI application; called in ``threads`` threads.
        body_limit: the largest body in bytes for a method, a path and a content type.
        wake: the read end of a pipe; what is written to it ends ``step``'s wait.
    """

    def __init__(
        self,
        application: Callable[..., Any],
        sockets: Iterable[socket],
        body_limit: BodyLimit,
        *,
        limits: Limits,
        threads: int,
        backlog: int,
        wake: int,
    ) -> None:
        self.body_limit = body_limit
        self._limits = limits
        self._map: dict[int, Any] = {}
        self._held: deque[Channel] = deque()
        self._next_look = 0.0
        self._disconnected = 0
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(threads)
        _Wake(wake, self._map)
        adjustments = _adjustments(limits, backlog)
        self._listeners = [self._listen(application, sock, adjustments) for sock in sockets]

    def step(self, timeout: float = LOOK_SECONDS) -> None:
        """Wait up to ``timeout`` seconds for something to happen, and handle what did."""
        wasyncore.loop(timeout, use_poll=True, map=self._map, count=1)
        self._release()
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._enforce(now)

    def stop_accepting(self) -> None:
        """Close the listening sockets in this process; requests in hand are finished."""
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)  # its own would close the trigger that the threads wake the loop with
        seconds = self._limits.stop_seconds
        self._limits = replace(
            self._limits, arrival_seconds=seconds, keepalive_seconds=seconds, delivery_seconds=math.inf
        )

    def finished(self) -> bool:
        """Return whether every client has its answers."""
        return all(channel.waits is Waits.CLOSE for channel in self._channels())

    def close(self) -> None:
        """Disconnect everybody, and end the threads that are idle."""
        self._threads.set_thread_count(0)
        for channel in self._channels():
            channel.drop()
        wasyncore.close_all(self._map)

    def add_task(self, channel: Channel) -> None:
        """Let a thread answer the next request of ``channel``, but not before the previous answer was delivered.

        In any thread. A client that sends many requests at once and reads slowly makes one answer wait, not all.
        """
        if channel.total_outbufs_len:
            self._held.append(channel)
        else:
            self._threads.add_task(channel)

    def make_room(self) -> None:
        """Disconnect the clients that are waited for longest, some at once, where no more connections may be open."""
        if len(self._map) < self._limits.connections:
            return
        waiting = self._waiting(time.monotonic())
        waiting.sort(key=lambda channel: (not channel.kept, channel.since))
        for channel in waiting[: max(1, self._limits.connections // 16)]:
            self._disconnect(channel)

    def _release(self) -> None:
        for _ in range(len(self._held)):
            self.add_task(self._held.popleft())

    def _enforce(self, now: float) -> None:
        waiting = self._waiting(now)
        for channel in waiting:
            if now >= channel.deadline(self._limits):
                self._disconnect(channel)
        holding = sorted((channel for channel in waiting if channel.buffered), key=lambda channel: channel.speed(now))
        excess = sum(channel.buffered for channel in holding) - self._limits.buffered_bytes
        for channel in holding:
            if excess <= 0:
                break
            excess -= channel.buffered
            self._disconnect(channel)
        if self._disconnected:
            log.warning("slow clients were disconnected", clients=self._disconnected, connections=len(self._map))
            self._disconnected = 0

    def _disconnect(self, channel: Channel) -> None:
        if not channel.kept and channel.waits is not Waits.CLOSE:  # those did nothing wrong
            self._disconnected += 1
        channel.drop()

    def _channels(self) -> list[Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, Channel)]

    def _waiting(self, now: float) -> list[Channel]:
        """Return the connections that wait for their clients."""
        channels = self._channels()
        for channel in channels:
            channel.observe(now)
        return [channel for channel in channels if channel.waits is not Waits.WORK]

    def _listen(self, application: Callable[..., Any], listening: socket, adjustments: Adjustments) -> Any:
        kind = _UnixListener if listening.family == AF_UNIX else _TcpListener
        listener = kind(
            application,
            self._map,
            _sock=listening,
            dispatcher=self._threads,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )
        listener.loop = self
        return listener


def _adjustments(limits: Limits, backlog: int) -> Adjustments:
    return Adjustments(
        backlog=backlog,
        # Larger bodies and answers wait on the disk.
        inbuf_overflow=64 * 1024,
        outbuf_overflow=256 * 1024,
        # An answer holds its thread beyond this; the loop has disconnected its client by then.
        outbuf_high_watermark=limits.buffered_bytes,
        max_request_header_size=HEAD_BYTES,
        max_request_body_size=sys.maxsize,  # the parser knows what each route accepts
        connection_limit=limits.connections + _SPARE,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # web/security/headers.py decides whom to believe
        ident=None,  # no Server header
        server_name="localhost",  # for HTTP/1.0 without a Host header
    )
