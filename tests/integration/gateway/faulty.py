"""An upstream that misbehaves on demand, and a load to put on a gateway in front of it.

Unlike the vendor stub it speaks HTTP by hand, so that it can be wrong on the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import Literal, NamedTuple

import httpx

Fault = Literal[
    "none", "killed", "slow", "mute", "reset", "reset_in_stream", "length_above", "length_below",
    "storm", "error_first", "server_error", "nonsense",
]  # fmt: skip
WORDS = 4


_OK = b"HTTP/1.1 200 OK\r\ncontent-type: "
_NONSENSE = (
    b"HTTP/1.1 204 No Content\r\n\r\n",
    _OK + b"text/html\r\ncontent-length: 13\r\n\r\n<p>upkeep</p>",
    _OK + b'application/json\r\ncontent-length: 15\r\n\r\n{"error": "no"}',
    b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
)
"""What is no answer, though it has the form of one."""


class Faulty:
    """Serves chat completions in a thread of its own, under the present `fault`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault: Fault = "none"
        self.seen: dict[str, int] = {}
        """Requests by the fault they met."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Faulty:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *exc: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def turn(self, fault: Fault) -> None:
        """From now on do this. `killed` closes everything at once, as a dead process does."""
        if fault == "killed":
            self._call(self._close())
        elif self.fault == "killed":
            self._call(self._listen())
        self.fault = fault

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        fault = self.fault
        self.seen[fault] = self.seen.get(fault, 0) + 1
        if fault == "mute":
            await asyncio.sleep(60)
        if fault == "slow":
            await asyncio.sleep(5)
        if fault == "reset":
            return False
        if fault in ("storm", "server_error"):
            status = b"429 Too Many Requests" if fault == "storm" else b"503 Unavailable"
            return await _whole(writer, status, {"error": {"message": fault}})
        if fault == "nonsense":
            writer.write(_NONSENSE[self.seen[fault] % len(_NONSENSE)])
            await writer.drain()
            return True
        if body.get("stream"):
            return await self._stream(writer, fault)
        return await self._answer(writer, fault)

    async def _answer(self, writer: asyncio.StreamWriter, fault: Fault) -> bool:
        message = {"role": "assistant", "content": self.name}
        answer = {
            "id": "x",
            "object": "chat.completion",
            "model": self.name,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": WORDS, "total_tokens": 9},
        }
        wrong = {"length_above": 7, "length_below": -7}.get(fault, 0)
        await _whole(writer, b"200 OK", answer, wrong)
        return not wrong

    async def _stream(self, writer: asyncio.StreamWriter, fault: Fault) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        if fault == "error_first":
            await _event(writer, {"error": {"message": "overloaded", "type": "server_error"}})
            return False
        for word in range(WORDS):
            if fault in ("reset_in_stream", "length_above", "length_below") and word == 2:
                return False
            choice = {"index": 0, "delta": {"content": self.name}, "finish_reason": None}
            await _event(writer, {"id": "x", "model": self.name, "choices": [choice]})
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await _event(writer, {"id": "x", "model": self.name, "choices": [last]})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()
        return True


async def _event(writer: asyncio.StreamWriter, event: object) -> None:
    data = f"data: {json.dumps(event)}\n\n".encode()
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _whole(writer: asyncio.StreamWriter, status: bytes, body: object, wrong: int = 0) -> bool:
    data = json.dumps(body).encode()
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\n" % status
    writer.write(head + b"content-length: %d\r\n\r\n%b" % (len(data) + wrong, data))
    await writer.drain()
    return True


# --- load -----------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a client saw. `begun` says that bytes of a good answer had come."""

    status: int
    text: str
    stream: bool

    @property
    def whole(self) -> bool:
        """A complete, good answer."""
        end = "data: [DONE]\n\n" if self.stream else "}"
        return self.status == 200 and self.text.endswith(end) and '"error"' not in self.text

    @property
    def begun(self) -> bool:
        return self.status == 200 and '"choices"' in self.text


async def load(url: str, secret: str, calls: int, at_once: int = 12) -> list[Outcome]:
    """So many calls, streamed and whole by turns, with so many clients."""
    numbers = iter(range(calls))
    done: list[Outcome] = []
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:

        async def one() -> None:
            for number in numbers:
                stream = number % 2 == 0
                body = {
                    "model": "small",
                    "stream": stream,
                    "messages": [{"role": "user", "content": "hello"}],
                }
                answer = await client.post(f"{url}/chat/completions", json=body)
                done.append(Outcome(answer.status_code, answer.text, stream))

        await asyncio.gather(*(one() for _ in range(at_once)))
    return done
