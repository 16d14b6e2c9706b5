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

CHECK_SECONDS = 1.0  # between checks of the deadlines
_ACCEPTS = 64
_SPARE = 64  # connections beyond the limit, where the application works on all others

log = structlog.get_logger(__name__)


class _Listener:
    """The differences of both kinds of listening socket from waitress's."""

    channel_class = Channel
    active_channels: dict[int, Channel]
    loop: "EventLoop"

    @property
    def body_limit(self) -> BodyLimit:
        return self.loop.body_limit

    def handle_accept(self) -> None:
        """Accept several connections: with many open, an iteration of the loop is long."""
        for _ in range(_ACCEPTS):
            self.loop.disconnect_slowest()
            before = len(self.active_channels)
            super().handle_accept()  # type: ignore[misc]
            if len(self.active_channels) == before:
                break

    def add_task(self, channel: Channel) -> None:
        self.loop.add_task(channel)

    def maintenance(self, now: float) -> None:
        """Do nothing: the loop enforces the deadlines."""


class _TcpListener(_Listener, TcpWSGIServer):
    pass


class _UnixListener(_Listener, UnixWSGIServer):
    pass


class _Wake(wasyncore.file_dispatcher):
    """Ends the loop's wait when a signal's number is written to a pipe."""

    def handle_read(self) -> None:
        self.recv(4096)

    def writable(self) -> bool:
        return False


class EventLoop:
    """Serves an application on listening sockets.

    Args:
        application: a WSGI application; called in ``threads`` threads.
        body_limit: the largest body in bytes for a method, a path and a content type.
        wake: the read end of a pipe; a byte written to it ends the wait in ``step``.
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
        self._postponed: deque[Channel] = deque()
        self._next_check = 0.0
        self._disconnected = 0
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(threads)
        _Wake(wake, self._map)
        adjustments = _adjustments(limits, backlog)
        self._listeners = [self._listen(application, sock, adjustments) for sock in sockets]

    def step(self, timeout: float = CHECK_SECONDS) -> None:
        """Wait up to ``timeout`` seconds for events, and handle them."""
        wasyncore.loop(timeout, use_poll=True, map=self._map, count=1)
        self._add_postponed()
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            self._enforce(now)

    def stop_accepting(self) -> None:
        """Close the listening sockets of this process; current requests are finished."""
        for listener in self._listeners:
            wasyncore.dispatcher.close(
                listener
            )  # the listener's own would close the trigger by which threads wake the loop
        seconds = self._limits.stop_seconds
        self._limits = replace(
            self._limits, arrival_seconds=seconds, keepalive_seconds=seconds, delivery_seconds=math.inf
        )

    def finished(self) -> bool:
        """Return whether every client has received its answers."""
        return all(channel.waits is Waits.CLOSE for channel in self._channels())

    def close(self) -> None:
        """Disconnect all clients, and end idle threads."""
        self._threads.set_thread_count(0)
        for channel in self._channels():
            channel.drop()
        wasyncore.close_all(self._map)

    def add_task(self, channel: Channel) -> None:
        """Let a thread answer the next request of ``channel``, once its previous answer has been delivered.

        May be called in any thread. A client that sends many requests at once and reads slowly delays only itself.
        """
        if channel.total_outbufs_len:
            self._postponed.append(channel)
        else:
            self._threads.add_task(channel)

    def disconnect_slowest(self) -> None:
        """At the limit of connections, disconnect some of the clients with the longest waits."""
        if len(self._map) < self._limits.connections:
            return
        waiting = self._waiting(time.monotonic())
        waiting.sort(key=lambda channel: (not channel.idle_after_answer, channel.since))
        for channel in waiting[: max(1, self._limits.connections // 16)]:
            self._disconnect(channel)

    def _add_postponed(self) -> None:
        for _ in range(len(self._postponed)):
            self.add_task(self._postponed.popleft())

    def _enforce(self, now: float) -> None:
        waiting = self._waiting(now)
        for channel in waiting:
            if now >= channel.deadline(self._limits):
                self._disconnect(channel)
        buffering = sorted((channel for channel in waiting if channel.buffered), key=lambda channel: channel.speed(now))
        excess = sum(channel.buffered for channel in buffering) - self._limits.buffered_bytes
        for channel in buffering:
            if excess <= 0:
                break
            excess -= channel.buffered
            self._disconnect(channel)
        if self._disconnected:
            log.warning("slow clients disconnected", clients=self._disconnected, connections=len(self._map))
            self._disconnected = 0

    def _disconnect(self, channel: Channel) -> None:
        if not channel.idle_after_answer and channel.waits is not Waits.CLOSE:  # those are not slow
            self._disconnected += 1
        channel.drop()

    def _channels(self) -> list[Channel]:
        return [entry for entry in self._map.values() if isinstance(entry, Channel)]

    def _waiting(self, now: float) -> list[Channel]:
        """Return the connections that wait for a client."""
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
        # Larger bodies and answers are buffered on the disk.
        inbuf_overflow=64 * 1024,
        outbuf_overflow=256 * 1024,
        # A larger answer would block its thread; the loop disconnects its client before that.
        outbuf_high_watermark=limits.buffered_bytes,
        max_request_header_size=HEAD_BYTES,
        max_request_body_size=sys.maxsize,  # the parser applies the limit of each route
        connection_limit=limits.connections + _SPARE,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # web/security/headers.py decides which proxies to trust
        ident=None,  # no Server header
        server_name="localhost",  # for HTTP/1.0 without a Host header
    )
