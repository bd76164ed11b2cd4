"""Asking what is evaluated: by the gateway, an endpoint, a line of Python, or what was recorded.

Knows one row and how to ask; knows nothing of runs and stores.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec

from stockpot.core import ids
from stockpot.core.errors import InvalidInput
from stockpot.evals.clients import item_header, run_header
from stockpot.evals.models import Row, Target
from stockpot.evals.scorers import Call, at_path
from stockpot.evals.scorers.base import as_text
from stockpot.evals.scorers.trajectories import call_of
from stockpot.evals.spanning import Called, Note, Place
from stockpot.sdk import observe

_FIELDS = ("messages", "prompt", "question", "text", "input")
_RETRIED = frozenset({408, 409, 425, 500, 502, 503, 504})


class Answer(msgspec.Struct, omit_defaults=True):
    """What came back. `retry_s` says that it may be asked again, after so long; `crowded` that
    there were too many calls."""

    output: str = ""
    calls: tuple[Call, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    latency_ms: float = 0.0
    trace_id: str = ""
    error: str = ""
    retry_s: float | None = None
    crowded: bool = False
    trace: Any = None


class Caller(Protocol):
    """One target. `key` is the content of a call; None: nothing is asked, so nothing is kept."""

    def key(self, row: Row, repeat: int) -> bytes | None: ...

    async def call(self, row: Row, repeat: int) -> Answer: ...

    def at_once(self, row: Row) -> Answer | None:
        """The answer, where nobody has to be asked."""
        ...

    async def close(self) -> None: ...


def content_key(*parts: Any) -> bytes:
    """The SHA-256 of values, the same whatever the order of their members."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


class Recorded:
    """What stands in the rows: `output` of the row, or a path into the row."""

    def __init__(self, target: Target) -> None:
        self._path = target.output

    def key(self, row: Row, repeat: int) -> bytes | None:
        return None

    def at_once(self, row: Row) -> Answer | None:
        found: Any = row.output
        if self._path:
            whole = {"input": row.input, "expected": row.expected, "metadata": row.metadata,
                     "output": row.output}  # fmt: skip
            try:
                found = at_path(whole, self._path)
            except ValueError as bad:
                return Answer(error=f"nothing is recorded: {bad}")
        elif found is None:
            return Answer(error="nothing is recorded: the row has no output")
        trace = str(row.metadata.get("trace_id", ""))
        return heard(found, Answer(trace_id=trace))

    async def call(self, row: Row, repeat: int) -> Answer:
        raise AssertionError("a recorded answer is there at once")

    async def close(self) -> None:
        pass


class Gateway:
    """A model, a route, or a prompt's version, by the gateway like every application."""

    def __init__(
        self, target: Target, client: httpx.AsyncClient, run: str, arm: Mapping[str, Any]
    ) -> None:
        self._target = target
        self._client = client
        self._run = run
        self._arm = dict(arm)

    def key(self, row: Row, repeat: int) -> bytes | None:
        return content_key("gateway", self._arm, self._body(row), repeat)

    def at_once(self, row: Row) -> Answer | None:
        return None

    async def call(self, row: Row, repeat: int) -> Answer:
        headers = {**run_header(self._run), **item_header(row.id)}
        trace = ids.trace_id().hex()
        headers["traceparent"] = f"00-{trace}-{ids.span_id().hex()}-01"
        if self._target.prompt and self._target.model:
            headers["x-stockpot-prompt"] = self._target.prompt
        began = time.perf_counter()
        try:
            found = await self._client.post(
                "/v1/chat/completions", json=self._body(row), headers=headers
            )
        except httpx.TransportError as away:
            return Answer(error=f"the gateway does not answer: {away!r}", retry_s=0.5)
        took = (time.perf_counter() - began) * 1000
        trace = found.headers.get("x-stockpot-trace-id", trace)
        if not found.is_success:
            return refusal(found, Answer(latency_ms=took, trace_id=trace))
        return completion(found.json(), Answer(latency_ms=took, trace_id=trace))

    async def close(self) -> None:
        await self._client.aclose()

    def _body(self, row: Row) -> dict[str, Any]:
        target = self._target
        if target.kind == "prompt":
            given = row.input if isinstance(row.input, dict) else {"input": row.input}
            model = target.model or f"prompt:{target.prompt}"
            return {"model": model, "prompt_variables": given, **target.params}
        said = row.input if isinstance(row.input, dict) else {}
        own = said.get("parameters")  # those of a recorded call
        body = {**own} if isinstance(own, dict) else {}
        body |= {"model": target.model, "messages": messages_of(row, target), **target.params}
        if isinstance(said.get("tools"), list):
            body.setdefault("tools", said["tools"])
        return body


class Endpoint:
    """An HTTP endpoint that takes a row's input as JSON and answers with JSON or text. It is told
    the trace; `note` is told of each call."""

    def __init__(self, target: Target, run: str, note: Note | None = None) -> None:
        self._target = target
        self._run = run
        self._note = note
        self._name = f"POST {httpx.URL(target.url).path}"
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(10, read=600), follow_redirects=True)

    def key(self, row: Row, repeat: int) -> bytes | None:
        return content_key("http", self._target.url, self._target.params, row.input, repeat)

    def at_once(self, row: Row) -> Answer | None:
        return None

    async def call(self, row: Row, repeat: int) -> Answer:
        place = Place.new()
        return _noted(self._note, self._name, place, row, repeat, await self._answered(row, place))

    async def _answered(self, row: Row, place: Place) -> Answer:
        named = {**run_header(self._run), **item_header(row.id)}
        headers = {**self._target.headers, **named, **place.headers}
        began = time.perf_counter()
        try:
            found = await self._client.post(
                self._target.url, json=row.input, params=self._target.params, headers=headers
            )
        except (httpx.TransportError, httpx.TooManyRedirects) as away:
            error = f"{self._target.url} does not answer: {away!r}"
            return Answer(error=error, retry_s=0.5, trace_id=place.trace_id)
        took = Answer(latency_ms=(time.perf_counter() - began) * 1000, trace_id=place.trace_id)
        if not found.is_success:
            return refusal(found, took)
        try:
            told: Any = found.json()
        except ValueError:
            told = found.text
        try:
            return heard(at_path(told, self._target.output) if self._target.output else told, took)
        except ValueError as bad:
            return msgspec.structs.replace(took, error=f"its answer is not as expected: {bad}")

    async def close(self) -> None:
        await self._client.aclose()


class Function:
    """A function of Python that takes a row's input and gives an answer: a text, a dict with
    `output` and more, or anything that JSON can say. What it observes with the SDK, and calls that
    it makes with the SDK's headers, hang below the span of the row; `note` is told of each call."""

    def __init__(
        self, target: Target, function: Callable[[Any], Any] | None = None,
        note: Note | None = None,
    ) -> None:  # fmt: skip
        self._note = note
        self._name = target.callable
        self._function = function or loaded(target.callable)
        self._params = target.params
        try:
            self._source = inspect.getsource(self._function)
        except (OSError, TypeError):
            self._source = ""

    def key(self, row: Row, repeat: int) -> bytes | None:
        return content_key("python", self._name, self._source, self._params, row.input, repeat)

    def at_once(self, row: Row) -> Answer | None:
        return None

    async def call(self, row: Row, repeat: int) -> Answer:
        place = Place.new()
        with observe.below(place.headers):
            answer = await self._answered(row, Answer(trace_id=place.trace_id))
        return _noted(self._note, self._name, place, row, repeat, answer)

    async def _answered(self, row: Row, base: Answer) -> Answer:
        began = time.perf_counter()
        try:
            if inspect.iscoroutinefunction(self._function):
                told = await self._function(row.input, **self._params)
            else:
                told = await asyncio.to_thread(self._function, row.input, **self._params)
        except Exception as bad:
            error = f"{self._name} raised {type(bad).__name__}: {bad}"
            return msgspec.structs.replace(base, error=error)
        took = (time.perf_counter() - began) * 1000
        return heard(told, msgspec.structs.replace(base, latency_ms=took))

    async def close(self) -> None:
        pass


def _noted(
    note: Note | None, name: str, place: Place, row: Row, repeat: int, answer: Answer
) -> Answer:
    """Tell of a call, unless it is a trace of its own that the answer names."""
    if note is not None and answer.trace_id == place.trace_id:
        output, error, now = answer.output, answer.error, time.time_ns()
        note(Called(place, name, row, repeat, output, error, now))
    return answer


def loaded(name: str) -> Callable[[Any], Any]:
    """The function that `module:function` names; modules of the working folder count."""
    module, colon, attribute = name.partition(":")
    if not colon:
        raise InvalidInput(f"{name!r} names no function", hint="module:function")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as bad:
        raise InvalidInput(f"{name!r} cannot be loaded: {bad}") from None
    if not callable(found):
        raise InvalidInput(f"{name!r} is no function")
    function: Callable[[Any], Any] = found
    return function


def messages_of(row: Row, target: Target) -> list[dict[str, Any]]:
    """What is said to a model for a row."""
    said: Any = row.input
    if isinstance(said, dict):
        field = target.input or next((name for name in _FIELDS if name in said), "")
        if field not in said:
            known = ", ".join(said)
            raise InvalidInput(
                f"the row {row.id!r} has no field {field or 'messages'!r} to ask with; "
                f"it has {known}",
                hint='target.input = "FIELD"',
            )
        said = said[field]
    system = [{"role": "system", "content": target.system}] if target.system else []
    if isinstance(said, list):
        return [*system, *said]
    return [*system, {"role": "user", "content": as_text(said)}]


def completion(body: Any, base: Answer) -> Answer:
    """A chat completion as an answer."""
    choice = (body.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    usage = body.get("usage") or {}
    return msgspec.structs.replace(
        base, output=as_text(message.get("content") or ""), model=str(body.get("model", "")),
        calls=tuple(call_of(call) for call in message.get("tool_calls") or ()),
        input_tokens=int(usage.get("prompt_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
    )  # fmt: skip


def heard(told: Any, base: Answer) -> Answer:
    """What a recording, an endpoint or a function gave as an answer."""
    if isinstance(told, dict) and isinstance(told.get("choices"), list):
        return completion(told, base)
    if not (isinstance(told, dict) and "output" in told):
        return msgspec.structs.replace(base, output=as_text(told))
    usage = told.get("usage") or {}
    return msgspec.structs.replace(
        base, output=as_text(told["output"]), trace=told.get("trace") or told.get("messages"),
        calls=tuple(call_of(call) for call in told.get("tool_calls") or ()),
        latency_ms=float(told.get("latency_ms") or base.latency_ms),
        trace_id=str(told.get("trace_id") or base.trace_id), model=str(told.get("model", "")),
        input_tokens=int(usage.get("input_tokens") or usage.get("prompt_tokens") or 0),
        output_tokens=int(usage.get("output_tokens") or usage.get("completion_tokens") or 0),
    )  # fmt: skip


def refusal(found: httpx.Response, base: Answer) -> Answer:
    """An answer that is none, and whether to ask again."""
    try:
        told = found.json()["error"]
        words = told["message"] if isinstance(told, dict) else str(told)
    except (ValueError, KeyError, TypeError):
        words = found.text[:300]
    error = f"{found.status_code}: {words}"[:1000]
    crowded = found.status_code == 429
    again = crowded or found.status_code in _RETRIED
    try:
        wait = float(found.headers.get("retry-after", "0.5"))
    except ValueError:
        wait = 1.0
    return msgspec.structs.replace(
        base, error=error, retry_s=wait if again else None, crowded=crowded
    )
