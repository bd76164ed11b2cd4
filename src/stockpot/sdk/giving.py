"""What people say of an answer, on its way to the server through the observer's buffer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from stockpot.sdk.span import named

Thumb = Literal["up", "down", "none"]
Signal = Literal[
    "copied", "regenerated", "escalated", "citation_click", "accepted", "edited", "abandoned",
    "appealed",
]  # fmt: skip


class Post(Protocol):
    """Whoever sends feedback."""

    def give(self, item: Mapping[str, Any]) -> None: ...

    def trace_id(self) -> str: ...


class Feedback:
    """`feedback(trace_id=..., thumb="up")`; never blocks, never raises for the server's sake."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def __call__(
        self,
        *,
        trace_id: str = "",
        span_id: str = "",
        session: str = "",
        thumb: Thumb | None = None,
        name: str = "rating",
        score: float | bool | None = None,
        label: str = "",
        comment: str = "",
        correction: str | None = None,
        signal: Signal | None = None,
        user: str = "",
        id: str = "",
    ) -> None:
        """Say what somebody thinks of a trace, a span or a session; without any, of the trace that
        runs now. `id` makes saying it twice harmless."""
        if not (trace_id or session):
            trace_id = self._post.trace_id()
        said = {
            # A re-send after a lost answer must not count twice.
            "id": id or uuid.uuid4().hex,
            "trace_id": trace_id, "span_id": span_id, "session": named(session), "thumb": thumb,
            "label": label, "comment": comment, "signal": signal, "user": named(user),
        }  # fmt: skip
        item: dict[str, Any] = {key: value for key, value in said.items() if value}
        if score is not None:
            item["value"] = float(score)
        if score is not None or label:
            item["name"] = name
        if correction is not None:
            item["correction"] = correction
        self._post.give(item)
