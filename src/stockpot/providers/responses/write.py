"""Writing an answer as a response object, or as the events of one. Knows the dialect, no vendor.

Source: the types of the `openai` package (`openai.types.responses`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from stockpot.prices import Usage
from stockpot.providers.base import Ask
from stockpot.providers.canon import (
    Began,
    Cited,
    Ended,
    Event,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
)
from stockpot.providers.responses.listen import error_event
from stockpot.providers.responses.output import Output

JSON = dict[str, Any]
_encode = msgspec.json.encode
_ECHOED: JSON = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""Fields of the request that its answer repeats, with what stands there when nothing was said."""
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesWriter:
    """Writes one answer."""

    stream_type = b"text/event-stream; charset=utf-8"

    def __init__(self, ask: Ask) -> None:
        self._asked: dict[str, msgspec.Raw] = msgspec.json.decode(
            ask.body, type=dict[str, msgspec.Raw]
        )
        self._model = ask.model
        self._ident = ""
        self._created = int(time.time())
        self._number = 0
        self._out: list[bytes] = []
        self._output: Output | None = None
        self._usage: Usage | None = None
        self._ended: Ended | None = None

    # streamed

    def write(self, events: Sequence[Event]) -> bytes:
        for event in events:
            if type(event) is PartDelta:
                self._delta(event)
            else:
                self._take(event)
        out, self._out = b"".join(self._out), []
        return out

    def _delta(self, delta: PartDelta) -> None:
        halves = self._begun().add(delta.index, delta.text)
        if halves is not None:
            self._out.append(b"%b%d%b" % (halves[0], self._number, halves[1]))
            self._number += 1

    def _take(self, event: Event) -> None:
        if isinstance(event, Began):
            self._begin(event)
        elif isinstance(event, PartBegan):
            self._begun().begin(event)
        elif isinstance(event, PartDelta):
            self._begun().add(event.index, event.text)
        elif isinstance(event, PartEnded):
            self._begun().end(event.index)
        elif isinstance(event, PartSigned):
            self._begun().sign(event.index, event.signature)
        elif isinstance(event, Cited):
            self._begun().cite(event.index, event.citation)
        elif isinstance(event, Ended):
            self._ended = self._ended or event
        elif isinstance(event, Metered):
            self._usage = event.usage

    def _begin(self, began: Began) -> None:
        self._model = began.model or self._model
        if self._output is not None:
            return
        self._ident = (began.ident or uuid4().hex).removeprefix("resp_")
        self._output = Output(self._ident, self._emit)
        self._emit("response.created", {"response": self._response("in_progress")})
        self._emit("response.in_progress", {"response": self._response("in_progress")})

    def _begun(self) -> Output:
        if self._output is None:
            self._begin(Began("", ""))
        assert self._output is not None
        return self._output

    def _emit(self, kind: str, said: JSON) -> None:
        body = _encode({"type": kind, **said, "sequence_number": self._number})
        self._number += 1
        self._out.append(b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n")

    def end(self) -> bytes:
        status = self._status()
        self._begun().close(status)
        self._emit(f"response.{status}", {"response": self._response(status)})
        return self.write(())

    def broken(self, message: str, code: str) -> bytes:
        started = self._output is not None
        out = self.write(())
        out += error_event(message, code, self._number)
        self._number += 1
        if not started:
            return out
        response = self._response("failed")
        response["error"] = {"code": "server_error", "message": message}
        self._emit("response.failed", {"response": response})
        return out + self.write(())

    # whole

    def complete(self, events: Sequence[Event]) -> bytes:
        for event in events:
            self._take(event)
            self._out.clear()
        status = self._status()
        self._begun().close(status)
        return _encode(self._response(status))

    def _status(self) -> str:
        reason = self._ended.reason if self._ended is not None else "stop"
        if reason in _INCOMPLETE:
            return "incomplete"
        return "failed" if reason == "error" else "completed"

    def _response(self, status: str) -> JSON:
        said: JSON = {
            "id": f"resp_{self._ident}",
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": list(self._output.items) if self._output is not None else [],
            "previous_response_id": None,
            "service_tier": (self._usage.tier if self._usage else "") or "default",
            "store": False,
            "usage": None,
        }
        for name, nothing in _ECHOED.items():
            raw = self._asked.get(name)
            said[name] = nothing if raw is None or bytes(raw) == b"null" else raw
        if status == "in_progress":
            said["output"] = []
        elif self._usage is not None:
            said["usage"] = _usage(self._usage)
        ended = self._ended
        if status == "incomplete" and ended is not None:
            said["incomplete_details"] = {"reason": _INCOMPLETE[ended.reason]}
        if status == "failed":
            why = f"the model ended with {ended.said!r}" if ended is not None else "it broke off"
            said["error"] = {"code": "server_error", "message": why}
        return said


def _usage(usage: Usage) -> JSON:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
