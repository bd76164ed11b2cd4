"""One span while it runs: what an application says of it. Knows its place in the trace; hands
itself to the observer when it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol
from urllib.parse import quote

from stockpot.sdk.encode import failure, text_of
from stockpot.sdk.options import Options

Kind = Literal[
    "span", "llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow",
    "guardrail", "evaluator",
]  # fmt: skip

Exposure = tuple[str, str, str]
"""An experiment, the arm, and the name that the unit has in records."""

UNSAID: Any = type("Unsaid", (), {"__repr__": lambda _: "UNSAID"})()
"""Stands for an argument that was not given, where None is a value."""


class Linked(Protocol):
    """What a span can be linked to: a prompt's version."""

    def attributes(self) -> dict[str, Any]: ...

    def headers(self) -> dict[str, str]: ...


class Owner(Protocol):
    """Whoever takes ended spans and scores."""

    @property
    def options(self) -> Options: ...

    def ended(self, span: Span, end_ns: int) -> None: ...

    def scored(self, span: Span, score: Mapping[str, Any]) -> None: ...

    def wrong(self, error: BaseException) -> None: ...


class Place:
    """Where a span hangs: its trace, its parent, and what it inherits."""

    __slots__ = ("exposures", "parent_id", "session", "tags", "trace_id", "user")

    def __init__(self, trace_id: str = "", parent_id: str = "") -> None:
        self.trace_id = trace_id or os.urandom(16).hex()
        self.parent_id = parent_id
        self.session = self.user = ""
        self.tags: tuple[str, ...] = ()
        self.exposures: tuple[Exposure, ...] = ()


class Span:
    """A span that runs, or ran. Everything set on it after its end is lost."""

    __slots__ = (
        "_owner", "_prompt", "attributes", "exposures", "failure", "kind", "name", "over",
        "parent_id", "recorded", "remote", "session", "span_id", "start_ns", "tags", "trace_id",
        "user",
    )  # fmt: skip

    def __init__(
        self, owner: Owner, name: str, kind: Kind, place: Place | Span | None, recorded: bool
    ) -> None:
        at = Place() if place is None else place
        self._owner = owner
        self.name = name
        self.kind: Kind = kind
        self.trace_id: str = at.trace_id
        self.parent_id: str = at.span_id if isinstance(at, Span) else at.parent_id
        self.span_id: str = os.urandom(8).hex()
        self.session: str = at.session
        self.user: str = at.user
        self.tags: tuple[str, ...] = at.tags
        self.exposures: tuple[Exposure, ...] = at.exposures
        self.attributes: dict[str, Any] = {}
        self.failure: tuple[str, str, str] | None = None
        self.remote = isinstance(at, Place) and bool(at.parent_id)
        self._prompt: dict[str, str] = {}
        self.recorded = recorded
        self.over = False
        self.start_ns = time.time_ns()

    def set(
        self,
        *,
        name: str = "",
        kind: Kind | None = None,
        input: Any = UNSAID,
        output: Any = UNSAID,
        session: str = "",
        user: str = "",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        model: str = "",
        usage: Mapping[str, int] | None = None,
        prompt: Linked | None = None,
    ) -> Span:
        """Say something of it. Session, user and tags hold for the spans below that begin later.
        `usage` takes input_tokens, output_tokens and further names of `gen_ai.usage`. What cannot
        be said is told in the log and left out; nothing is raised."""
        try:
            self.name = str(name or self.name)
            self.kind = kind or self.kind
            self.session = named(session) or self.session
            self.user = named(user) or self.user
            told = (tags,) if isinstance(tags, str) else tags or ()
            self.tags = tuple(dict.fromkeys((*self.tags, *map(str, told))))
            if prompt is not None:
                self._prompt = prompt.headers()
            if self.recorded:
                self._keep(input, output, metadata)
                self._call(model, usage, prompt)
        except Exception as wrong:
            self._owner.wrong(wrong)
        return self

    def _keep(self, input: Any, output: Any, metadata: Mapping[str, Any] | None) -> None:
        found = self.attributes
        for side, value in (("stockpot.input", input), ("stockpot.output", output)):
            if value is not UNSAID:
                found[side] = self._text(value)
        for key, value in (metadata or {}).items():
            found[f"stockpot.metadata.{key}"] = self._text(value)

    def _call(self, model: str, usage: Mapping[str, int] | None, prompt: Linked | None) -> None:
        found = self.attributes
        if model:
            found["gen_ai.request.model"] = str(model)
        for key, count in (usage or {}).items():
            if count is not None:  # vendors leave counts empty that they do not have
                found[f"gen_ai.usage.{key}"] = count
        if prompt is not None:
            found |= prompt.attributes()

    def fail(self, error: BaseException | str) -> Span:
        """Say that it failed, without an exception that leaves it."""
        try:
            mask = self._owner.options.mask
            if isinstance(error, BaseException):
                self.failure = failure(error, mask)
            else:
                self.failure = ("error", text_of(error, mask, 2000), "")
        except Exception as wrong:
            self._owner.wrong(wrong)
        return self

    def score(
        self,
        name: str = "rating",
        value: float | bool | None = None,
        *,
        label: str = "",
        comment: str = "",
    ) -> Span:
        """Judge it by code: a score of a figure or a label."""
        given = {"name": name, "label": label, "comment": comment}
        told: dict[str, Any] = {key: said for key, said in given.items() if said}
        try:
            if value is not None:
                told["value"] = float(value)
            self._owner.scored(self, told)
        except (TypeError, ValueError) as wrong:
            self._owner.wrong(wrong)
        return self

    @property
    def running(self) -> bool:
        """Whether it has a place in a trace and is not over."""
        return bool(self.name) and not self.over

    def expose(self, exposure: Exposure) -> Span:
        """Say that it is made in an arm of an experiment; so are the spans below that begin later
        and the calls that its headers go with."""
        if exposure not in self.exposures:
            self.exposures = (*self.exposures, exposure)
        return self

    def headers(self) -> dict[str, str]:
        """W3C `traceparent` and `baggage`: what is called with them hangs below this span."""
        told = {"traceparent": f"00-{self.trace_id}-{self.span_id}-01"}
        said = (("session.id", self.session), ("user.id", self.user))
        baggage = ",".join(f"{name}={quote(value, safe='')}" for name, value in said if value)
        if baggage:
            told["baggage"] = baggage
        return {**told, **self._prompt, **exposure_headers(self.exposures)}

    def end(self) -> None:
        """It is over; the second time changes nothing."""
        if not self.over:
            self.over = True
            if self.recorded:
                self._owner.ended(self, time.time_ns())

    def _text(self, value: Any) -> str:
        options = self._owner.options
        return text_of(value, options.mask, options.most_chars)


def named(who: Any) -> str:
    """A user or a session as text: applications number theirs, and call nobody None."""
    return "" if who is None else str(who)


def exposure_headers(exposures: Iterable[Exposure]) -> dict[str, str]:
    """What tells the gateway in which arms a call is made."""
    told = ", ".join(
        f"{quote(name, safe='')}; arm={quote(arm, safe='')}; unit={unit}"
        for name, arm, unit in exposures
    )
    return {"x-stockpot-experiment-used": told} if told else {}


def place_of(headers: Mapping[str, str]) -> Place | None:
    """Where a request's `traceparent` and `baggage` put a span; None without a good one."""
    told = {name.lower(): _header(value) for name, value in headers.items()}
    parts = told.get("traceparent", "").strip().split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    version, trace, parent, _ = parts[:4]
    hexadecimal = not set("".join(parts[:4])) - set("0123456789abcdef")
    if not hexadecimal or version == "ff" or not trace.strip("0") or not parent.strip("0"):
        return None
    place = Place(trace, parent)
    place.session, place.user = _carried(told.get("baggage", ""))
    return place


def _header(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def _carried(baggage: str) -> tuple[str, str]:
    from urllib.parse import unquote

    told = {}
    for member in baggage.split(","):
        name, _, value = member.partition(";")[0].partition("=")
        told[name.strip()] = unquote(value.strip())
    return told.get("session.id", ""), told.get("user.id", "")
