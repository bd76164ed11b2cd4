"""A stand-in for the gateway, with a limit of calls at once, that counts what it is asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any


class StandIn:
    """Answers chat completions with what the user said, after a while. More calls at once than
    `most` are refused with 429."""

    def __init__(self, took_s: float = 0.0, most: int = 10_000, retry_after: str = "0.1") -> None:
        self.took_s = took_s
        self.most = most
        self.retry_after = retry_after
        self.asked: Counter[str] = Counter()
        self.in_flight = 0
        self.refused = 0
        self.strangers = 0
        """So many calls are answered as if their key were unknown."""
        self.traces: list[str] = []
        self.runs: set[str] = set()
        self.keys: set[str] = set()
        self.changes: list[tuple[float, int]] = []
        self.says: Callable[[Any], str | dict[str, Any]] = _said
        """What is answered to a body, a text or a whole message; the user's own words if nobody
        says otherwise."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> StandIn:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.close()
        await asyncio.sleep(0)

    @property
    def calls(self) -> int:
        return sum(self.asked.values())

    def share_used(self) -> float:
        """How much of what is allowed was in use, from the first time that it all was until calls
        ran out."""
        full = next(at for at, count in self.changes if count == self.most)
        last = max(at for at, count in self.changes if count == self.most)
        used, before, level = 0.0, full, self.most
        for at, count in self.changes:
            if full < at <= last:
                used += level * (at - before)
                before, level = at, count
        return used / (self.most * (last - full))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                writer.write(await self._answer(head[0], headers, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, first: str, headers: dict[str, str], body: Any) -> bytes:
        if "/embeddings" in first:
            return _response("200 OK", {"data": _vectors(body["input"])})
        if self.strangers:
            self.strangers -= 1
            return _response("401 Unauthorized", {"error": {"message": "not known here"}})
        if self.in_flight >= self.most:
            self.refused += 1
            extra = f"retry-after: {self.retry_after}\r\n"
            return _response("429 Too Many Requests", {"error": {"message": "too many"}}, extra)
        self._change(1)
        self.asked[headers.get("x-stockpot-item", "")] += 1
        self.runs.add(headers.get("x-stockpot-run", ""))
        self.keys.add(headers.get("authorization", ""))
        trace = headers.get("traceparent", "00--").split("-")[1]
        self.traces.append(trace)
        try:
            await asyncio.sleep(self.took_s)
        finally:
            self._change(-1)
        extra = f"x-stockpot-trace-id: {trace}\r\n"
        return _response("200 OK", _completion(self.says(body)), extra)

    def _change(self, by: int) -> None:
        self.in_flight += by
        self.changes.append((time.monotonic(), self.in_flight))


def _said(body: Any) -> str:
    return body["messages"][-1]["content"] if "messages" in body else json.dumps(body)


def _completion(said: str | dict[str, Any]) -> dict[str, Any]:
    told = {"content": said} if isinstance(said, str) else {"content": None, **said}
    return {
        "model": "stand-in",
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "choices": [
            {"index": 0, "message": {"role": "assistant", **told}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }


def _vectors(told: str | list[str]) -> list[dict[str, Any]]:
    """Counts of three letters: equal texts have equal vectors."""
    texts = [told] if isinstance(told, str) else told
    return [
        {"index": n, "embedding": [float(t.count(c)) for c in "aei"]} for n, t in enumerate(texts)
    ]


def _response(status: str, body: Any, extra: str = "") -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{extra}"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data
