"""Google's errors (`google.rpc.Status`), both ways. Knows codes; knows no call.

Source: google.aip.dev/193 and the `google.rpc` error details (read November 2026).
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.canon import JSON
from stockpot.providers.gemini.answer import Problem

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPE = "type.googleapis.com/google.rpc."
BROKEN = 503
"""The code of an error inside a stream: trying again may help."""


class _Body(msgspec.Struct):
    error: Problem


class _RetryInfo(msgspec.Struct):
    type: str = msgspec.field(name="@type", default="")
    retryDelay: str = ""  # noqa: N815 - Google's name


def status_of(code: int, message: str, reason: str, param: str = "") -> JSON:
    """The body of an error answer; `reason` is our own code."""
    info = {"@type": f"{_TYPE}ErrorInfo", "reason": reason.upper(), "domain": "stockpot"}
    details: list[JSON] = [info]
    if param:
        violation = {"field": param, "description": message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    status = _STATUS.get(code, "INTERNAL" if code >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def problem_of(body: bytes) -> Problem | None:
    """The error in an answer; a stream's answer holds it in a list."""
    kind: Any = list[_Body] if body.lstrip()[:1] == b"[" else _Body
    try:
        found = msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        return None
    if isinstance(found, list):
        found = found[0] if found else None
    return found.error if isinstance(found, _Body) else None


def retry_after_s(body: bytes) -> float:
    """Seconds of a `RetryInfo` in an error's details; 0 when there is none."""
    problem = problem_of(body)
    for raw in (problem.details if problem is not None else None) or ():
        try:
            info = msgspec.json.decode(raw, type=_RetryInfo)
        except msgspec.MsgspecError:
            continue
        if info.type == f"{_TYPE}RetryInfo":
            return _seconds(info.retryDelay)
    return 0.0


def _seconds(duration: str) -> float:
    try:
        return min(max(0.0, float(duration.removesuffix("s"))), 86_400.0)
    except ValueError:
        return 0.0
