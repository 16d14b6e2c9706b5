"""A TCP proxy between a process and a server, which can fail in every way that a network can."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

from tools.stack.ports import HOST, free_port

_CHUNK = 65_536
_WAIT = 10  # seconds for a control to take effect


class Proxy:
    """Listens on ``host:port`` and connects each caller to ``target_host:target_port``. Runs in its own thread.

    The controls are thread-safe, and have taken effect when they return. ``work`` ends all faults.
    """

    def __init__(self, target_port: int, *, port: int | None = None, host: str = HOST, target_host: str = HOST) -> None:
        self.port = port or free_port()
        self._host, self._target = host, (target_host, target_port)
        self.requests = 0  # how often a caller sent something first, or after an answer
        self._asking: set[asyncio.StreamWriter] = set()  # callers that wait for an answer
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._healthy()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy {self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_exception: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT)
        self._loop.close()

    def work(self) -> None:
        """Forward everything."""
        self._do(self._healthy)

    def cut(self) -> None:
        """Close all connections; new ones work."""
        self._do(self._cut)

    def refuse(self) -> None:
        """Close all connections, and new ones at once."""
        self._do(lambda: setattr(self, "_refusing", True), self._cut)

    def stall(self) -> None:
        """Leave connections open and accept new ones, but forward nothing."""
        self._do(self._flowing.clear)

    def delay(self, seconds: float) -> None:
        """Delay data in both directions."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def cut_after(self, count: int) -> None:
        """Cut each connection after ``count`` more bytes from the server."""
        self._do(lambda: setattr(self, "_left", count))

    def answer(self, reply: bytes) -> None:
        """Answer every request with ``reply`` and close; the server receives nothing."""
        self._do(lambda: setattr(self, "_reply", reply), self._cut)

    def _healthy(self) -> None:
        self._refusing = False
        self._reply: bytes | None = None
        self._delay = 0.0
        self._left: int | None = None
        self._flowing.set()

    def _do(self, *steps: Callable[[], object]) -> None:
        async def all_steps() -> None:
            for step in steps:
                step()

        self._run(all_steps())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._host, self.port)

    async def _close(self) -> None:
        self._server.close()
        self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        server_writer = None
        try:
            await self._flowing.wait()
            if self._refusing:
                return
            if self._reply is not None:
                await self._reply_to(reader, writer, self._reply)
                return
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            self._open.add(server_writer)
            back = self._pump(server_reader, writer, writer, from_server=True)
            await asyncio.gather(self._pump(reader, server_writer, writer), back)
        except OSError:
            pass  # one side is closed: the other is closed below
        finally:
            for each in (writer, server_writer):
                if each is not None:
                    each.transport.abort()
                    self._open.discard(each)

    def _count(self, caller: asyncio.StreamWriter, from_server: bool) -> None:
        if from_server:
            self._asking.discard(caller)
        elif caller not in self._asking:
            self._asking.add(caller)
            self.requests += 1

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        caller: asyncio.StreamWriter,
        from_server: bool = False,
    ) -> None:
        while data := await reader.read(_CHUNK):
            self._count(caller, from_server)
            await self._flowing.wait()
            if self._delay:
                await asyncio.sleep(self._delay)
            if from_server and self._left is not None:
                data, over = data[: self._left], len(data) > self._left
                self._left -= len(data)
                writer.write(data)
                if over or self._left == 0:
                    self._left = None
                    await writer.drain()
                    self._cut()
                    return
                continue
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("one side closed the connection")

    async def _reply_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: bytes) -> None:
        await reader.read(_CHUNK)
        writer.write(reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
