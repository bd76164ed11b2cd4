"""The HTTP that every stand-in for a vendor speaks: requests one after the other, whole answers and
streams in chunks, connections that are reset. Knows HTTP/1.1; knows no vendor.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

RESET_AFTER_S = 0.05
"""What was written before has left by then."""


@dataclass
class Loopback:
    """A server on 127.0.0.1 in a thread of its own; use as a context manager. `port` 0 takes any
    that is free."""

    port: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: str,
        head: dict[str, str],
        raw: bytes,
    ) -> bool:
        """Answer one request; False closes the connection. `line` is method and target."""
        raise NotImplementedError

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        head = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:] if x)}
        raw = await reader.readexactly(int(head.get("content-length", "0")))
        return await self.serve(reader, writer, lines[0].rpartition(" ")[0], head, raw)


async def whole(
    writer: asyncio.StreamWriter,
    status: int,
    data: bytes,
    headers: Iterable[tuple[str, str]] = (),
    kind: str = "application/json",
) -> bool:
    """An answer in one piece."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{lines}"
    writer.write(head.encode() + b"content-length: %d\r\n\r\n%b" % (len(data), data))
    await writer.drain()
    return True


def begin(writer: asyncio.StreamWriter, kind: str, headers: Iterable[tuple[str, str]] = ()) -> None:
    """The head of an answer that comes in chunks."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{lines}transfer-encoding: chunked\r\n\r\n"
    writer.write(head.encode())


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """One piece of such an answer."""
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


def end(writer: asyncio.StreamWriter) -> bool:
    """Its proper end."""
    writer.write(b"0\r\n\r\n")
    return True


async def reset(writer: asyncio.StreamWriter) -> bool:
    """End the connection without a word, once what was written is on its way."""
    await writer.drain()
    await asyncio.sleep(RESET_AFTER_S)
    writer.transport.abort()
    return False
