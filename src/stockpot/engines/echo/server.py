"""The test model's OpenAI dialect: addresses, wire format, errors, timing. Decides no answer."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from stockpot.engines.echo import answers
from stockpot.engines.echo.answers import (
    Answer,
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Sampling,
)
from stockpot.engines.echo.connection import Connection, Request

_encode: Final = msgspec.json.Encoder().encode
_T = TypeVar("_T", bound=msgspec.Struct)
_Route = Callable[[Request, Connection], Awaitable[None]]


class Refusal(Exception):
    """A request that gets an error in the OpenAI dialect's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.headers = headers


class EchoServer:
    """Serves one model name. `ttft_s` passes before the first token, `tpot_s` before each next."""

    def __init__(self, name: str, *, ttft_s: float = 0.0, tpot_s: float = 0.0) -> None:
        self.name = name
        self._ttft_s = ttft_s
        self._tpot_s = tpot_s
        self._created = int(time.time())
        self._open: set[Connection] = set()
        self._routes: dict[str, tuple[str, _Route]] = {
            "/v1/chat/completions": ("POST", self._chat),
            "/v1/completions": ("POST", self._completions),
            "/v1/embeddings": ("POST", self._embeddings),
            "/v1/models": ("GET", self._models),
            f"/v1/models/{name}": ("GET", self._model),
            "/health": ("GET", self._health),
        }

    def protocol(self) -> Connection:
        """For `loop.create_server`."""
        return Connection(self._handle, self._open)

    async def drain(self, within_s: float) -> None:
        """Close idle connections now and the others when their answer ends, or when time is up."""
        for connection in tuple(self._open):
            connection.close()
        if answering := [c.task for c in self._open if c.task is not None]:
            await asyncio.wait(answering, timeout=within_s)

    # --- dispatch and errors ---

    async def _handle(self, request: Request, connection: Connection) -> None:
        try:
            await self._route(request)(request, connection)
        except Refusal as refusal:
            error = {
                "message": str(refusal),
                "type": "server_error" if refusal.status >= 500 else "invalid_request_error",
                "param": refusal.param,
                "code": refusal.code,
            }
            await connection.reply(
                refusal.status,
                _encode({"error": error}),
                keep_alive=request.keep_alive,
                headers=refusal.headers,
            )

    def _route(self, request: Request) -> _Route:
        if request.refused:
            raise Refusal(request.refused, _WHY[request.refused])
        found = self._routes.get(request.path)
        if found is None:
            known = ", ".join(self._routes)
            raise Refusal(404, f"no address {request.path!r}; there are {known}", code="not_found")
        method, route = found
        if request.method != method:
            message = f"{request.path} takes {method}, not {request.method}"
            raise Refusal(405, message, headers=f"Allow: {method}\r\n")
        return route

    def _read(self, request: Request, kind: type[_T]) -> _T:
        """The request's body, for this server's model."""
        try:
            body = msgspec.json.decode(request.body, type=kind)
        except msgspec.ValidationError as bad:
            what, _, where = str(bad).partition(" - at `$")
            missing = what.rpartition("`")[0].rpartition("`")[2] if "missing" in what else ""
            param = ".".join(filter(None, (where.strip("`.").replace("[...]", ""), missing)))
            raise Refusal(400, f"invalid request: {bad}", param=param or None) from None
        except msgspec.DecodeError as bad:
            raise Refusal(400, f"the body is not JSON: {bad}") from None
        if (wanted := getattr(body, "model", self.name)) != self.name:
            raise Refusal(
                404,
                f"no model {wanted!r}; this server serves {self.name!r}  (GET /v1/models)",
                param="model",
                code="model_not_found",
            )
        return body

    # --- addresses ---

    async def _health(self, request: Request, connection: Connection) -> None:
        await connection.reply(200, b'{"status":"ok"}', keep_alive=request.keep_alive)

    async def _models(self, request: Request, connection: Connection) -> None:
        body = _encode({"object": "list", "data": [self._card()]})
        await connection.reply(200, body, keep_alive=request.keep_alive)

    async def _model(self, request: Request, connection: Connection) -> None:
        await connection.reply(200, _encode(self._card()), keep_alive=request.keep_alive)

    def _card(self) -> dict[str, object]:
        return {
            "id": self.name,
            "object": "model",
            "created": self._created,
            "owned_by": "stockpot",
        }

    async def _chat(self, request: Request, connection: Connection) -> None:
        body = self._read(request, ChatRequest)
        said = [answers.chat(body)] * (body.n or 1)
        wire = _Chat(self.name, said, said[0].prompt_tokens)
        await self._say(wire, body, request, connection)

    async def _completions(self, request: Request, connection: Connection) -> None:
        body = self._read(request, CompletionRequest)
        prompts = [answers.completion(body, text) for text in _texts(body.prompt, "prompt")]
        said = [answer for answer in prompts for _ in range(body.n or 1)]
        wire = _Completion(self.name, said, sum(a.prompt_tokens for a in prompts))
        await self._say(wire, body, request, connection)

    async def _embeddings(self, request: Request, connection: Connection) -> None:
        body = self._read(request, EmbeddingRequest)
        inputs = _texts(body.input, "input")
        data: list[dict[str, object]] = []
        for index, text in enumerate(inputs):
            values = answers.vector(text, body.dimensions)
            shown = answers.packed(values) if body.encoding_format == "base64" else values
            data.append({"object": "embedding", "index": index, "embedding": shown})
        tokens = sum(map(answers.count, inputs))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        await asyncio.sleep(self._ttft_s)
        answer = {"object": "list", "model": self.name, "data": data, "usage": usage}
        await connection.reply(200, _encode(answer), keep_alive=request.keep_alive)

    # --- saying it, whole or token by token ---

    async def _say(
        self, wire: _Wire, body: Sampling, request: Request, connection: Connection
    ) -> None:
        longest = max(len(answer.tokens) for answer in wire.said)
        if not body.stream:
            await asyncio.sleep(self._ttft_s + self._tpot_s * max(0, longest - 1))
            await connection.reply(200, _encode(wire.whole()), keep_alive=request.keep_alive)
            return
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        nothing_yet: dict[str, object] = {"usage": None} if with_usage else {}
        await connection.start_events(keep_alive=request.keep_alive)
        for choices in wire.openings():
            await connection.event(_encode(wire.chunk(choices) | nothing_yet))
        for place in range(longest):
            await asyncio.sleep(self._tpot_s if place else self._ttft_s)
            for choices in wire.tokens(place):
                await connection.event(_encode(wire.chunk(choices) | nothing_yet))
        for choices in wire.endings():
            await connection.event(_encode(wire.chunk(choices) | nothing_yet))
        if with_usage:
            await connection.event(_encode(wire.chunk([]) | {"usage": wire.usage()}))
        await connection.event(b"[DONE]")
        await connection.event(b"")


_WHY: Final = {
    400: "this is not HTTP/1.1",
    413: "the body is larger than 64 MB",
    431: "the head is larger than 64 KB",
}

_Choices = list[dict[str, object]]


class _Wire:
    """What chats and completions have in common on the wire."""

    prefix, whole_kind, chunk_kind = "", "", ""

    def __init__(self, model: str, said: Sequence[Answer], prompt_tokens: int) -> None:
        self.said = said
        self._prompt_tokens = prompt_tokens
        self._base = {
            "id": f"{self.prefix}-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": "echo-1",
        }

    def usage(self) -> dict[str, int]:
        said = sum(len(answer.tokens) for answer in self.said)
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": said,
            "total_tokens": self._prompt_tokens + said,
        }

    def chunk(self, choices: _Choices) -> dict[str, object]:
        return {**self._base, "object": self.chunk_kind, "choices": choices}

    def whole(self) -> dict[str, object]:
        choices = [
            {"index": i, **self.part(a), "logprobs": None, "finish_reason": a.finish_reason}
            for i, a in enumerate(self.said)
        ]
        return {**self._base, "object": self.whole_kind, "choices": choices, "usage": self.usage()}

    def openings(self) -> list[_Choices]:
        return []

    def tokens(self, place: int) -> list[_Choices]:
        return [
            self._one(index, self.delta(answer.tokens[place]), None)
            for index, answer in enumerate(self.said)
            if place < len(answer.tokens)
        ]

    def endings(self) -> list[_Choices]:
        return [self._one(i, self.delta(None), a.finish_reason) for i, a in enumerate(self.said)]

    def _one(self, index: int, delta: dict[str, Any], reason: str | None) -> _Choices:
        return [{"index": index, **delta, "logprobs": None, "finish_reason": reason}]

    def part(self, answer: Answer) -> dict[str, Any]:
        raise NotImplementedError

    def delta(self, token: str | None) -> dict[str, Any]:
        raise NotImplementedError


class _Chat(_Wire):
    prefix, whole_kind, chunk_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def openings(self) -> list[_Choices]:
        first = {"delta": {"role": "assistant", "content": ""}}
        return [self._one(index, first, None) for index in range(len(self.said))]

    def part(self, answer: Answer) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": answer.text, "refusal": None}}

    def delta(self, token: str | None) -> dict[str, Any]:
        return {"delta": {} if token is None else {"content": token}}


class _Completion(_Wire):
    prefix, whole_kind, chunk_kind = "cmpl", "text_completion", "text_completion"

    def part(self, answer: Answer) -> dict[str, Any]:
        return {"text": answer.text}

    def delta(self, token: str | None) -> dict[str, Any]:
        return {"text": token or ""}


def _texts(given: str | list[Any], param: str) -> list[str]:
    try:
        return answers.texts(given)
    except ValueError as bad:
        raise Refusal(400, f"{param!r} must be {bad}", param=param) from None
