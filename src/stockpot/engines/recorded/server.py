"""Playing recordings on the OpenAI dialect, with the tokens and the time that were recorded.

Knows addresses, wire format and timing; which line answers is the tape's to say. A question that
was never recorded is an error that names the nearest one, never an invented answer.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import Any, Final

import msgspec

from stockpot.engines.echo.connection import Connection, Request
from stockpot.engines.recorded.models import Line, Tape, Usage, tokens_of
from stockpot.engines.recorded.shelf import Shelf

_encode: Final = msgspec.json.Encoder().encode
_TOKEN: Final = re.compile(r"\s*\S+|\s+")
_FIRST: Final = 0.3
"""The share of the whole time until the first token, where a recording does not say."""


class _Options(msgspec.Struct):
    include_usage: bool = False


class _Asked(msgspec.Struct, kw_only=True):
    model: str
    messages: list[dict[str, Any]]
    stream: bool | None = None
    stream_options: _Options | None = None


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RecordedServer:
    """Serves every recording of a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._open: set[Connection] = set()
        self._created = int(time.time())

    def protocol(self) -> Connection:
        """For `loop.create_server`."""
        return Connection(self._handle, self._open)

    async def drain(self, within_s: float) -> None:
        """Close idle connections now, the others when their answer ends or time is up."""
        for connection in tuple(self._open):
            connection.close()
        if answering := [c.task for c in self._open if c.task is not None]:
            await asyncio.wait(answering, timeout=within_s)

    async def _handle(self, request: Request, connection: Connection) -> None:
        try:
            await self._answer(request, connection)
        except _Refused as refused:
            error = {"message": str(refused), "type": "invalid_request_error", "param": None,
                     "code": refused.code}  # fmt: skip
            body = _encode({"error": error})
            await connection.reply(refused.status, body, keep_alive=request.keep_alive)

    async def _answer(self, request: Request, connection: Connection) -> None:
        if request.refused:
            raise _Refused(request.refused, "bad_request", "the request could not be read")
        if request.path == "/health":
            await connection.reply(200, b'{"status":"ok"}', keep_alive=request.keep_alive)
        elif request.path == "/v1/models":
            data = [self._card(name) for name in sorted(self._shelf.tapes)]
            body = _encode({"object": "list", "data": data})
            await connection.reply(200, body, keep_alive=request.keep_alive)
        elif request.path == "/v1/chat/completions":
            await self._chat(request, connection)
        else:
            raise _Refused(404, "not_found", f"a recording has no address {request.path!r}")

    def _card(self, name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": self._created, "owned_by": "recorded"}

    async def _chat(self, request: Request, connection: Connection) -> None:
        try:
            asked = msgspec.json.decode(request.body, type=_Asked)
        except msgspec.DecodeError as bad:
            raise _Refused(400, "bad_request", f"invalid request: {bad}") from None
        tape = self._tape(asked.model)
        found = tape.find(asked.messages)
        if found.line is None:
            near = f" The nearest recorded question is {found.nearest!r}." if found.nearest else ""
            raise _Refused(
                404, "not_recorded",
                f"nothing is recorded of {tape.name!r} for {found.asked[:120]!r}.{near}",
            )  # fmt: skip
        told = _Told(tape.name, found.line, tokens_of(found.line, asked.messages))
        if asked.stream:
            usage = asked.stream_options is not None and asked.stream_options.include_usage
            await _streamed(told, usage, request, connection)
            return
        await asyncio.sleep(found.line.latency_ms / 1000)
        await connection.reply(200, _encode(told.whole()), keep_alive=request.keep_alive)

    def _tape(self, name: str) -> Tape:
        tape = self._shelf.tapes.get(name)
        if tape is None:
            known = ", ".join(sorted(self._shelf.tapes))
            raise _Refused(404, "model_not_found", f"no recording {name!r}; there are {known}")
        return tape


class _Told:
    """An answer on the wire, whole or in pieces."""

    def __init__(self, model: str, line: Line, usage: Usage) -> None:
        self.line = line
        self._usage = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
        self._base = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": "recorded",
        }

    def whole(self) -> dict[str, object]:
        message = {"role": "assistant", "content": self.line.answer, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None,
                  "finish_reason": self.line.finish_reason}  # fmt: skip
        return {
            **self._base, "object": "chat.completion", "choices": [choice], "usage": self._usage
        }  # fmt: skip

    def piece(self, delta: dict[str, str], reason: str | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self._base, "object": "chat.completion.chunk", "choices": [choice]}

    def usage(self) -> dict[str, object]:
        return {
            **self._base, "object": "chat.completion.chunk", "choices": [], "usage": self._usage
        }  # fmt: skip


async def _streamed(
    told: _Told, with_usage: bool, request: Request, connection: Connection
) -> None:
    """Token by token, the first after its recorded time, the last at the end of the whole."""
    tokens = _TOKEN.findall(told.line.answer) or [told.line.answer]
    first, each = _times(told.line, len(tokens))
    nothing_yet: dict[str, object] = {"usage": None} if with_usage else {}
    await connection.start_events(keep_alive=request.keep_alive)
    opening = told.piece({"role": "assistant", "content": ""})
    await connection.event(_encode(opening | nothing_yet))
    for place, token in enumerate(tokens):
        if pause := each if place else first:
            await asyncio.sleep(pause)
        await connection.event(_encode(told.piece({"content": token}) | nothing_yet))
    await connection.event(_encode(told.piece({}, told.line.finish_reason) | nothing_yet))
    if with_usage:
        await connection.event(_encode(told.usage()))
    await connection.event(b"[DONE]")
    await connection.event(b"")


def _times(line: Line, tokens: int) -> tuple[float, float]:
    """Seconds before the first token and before each next one."""
    first = line.latency_ms * _FIRST if line.ttft_ms is None else line.ttft_ms
    rest = max(0.0, line.latency_ms - first)
    return first / 1000, rest / 1000 / (tokens - 1) if tokens > 1 else 0.0
