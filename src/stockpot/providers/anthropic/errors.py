"""Errors in Anthropic's shape: bodies, events, and the types by status. Knows no call.

Source: `ErrorResponse` and `ErrorObject` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from typing import Any

import msgspec

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_EVENT_KINDS = frozenset(_KINDS.values()) | {"api_error"}


def error_body(status: int, message: str, code: str, param: str = "") -> bytes:
    """`details.error_code` is where the SDKs look for the cause; `field` is ours."""
    details: dict[str, Any] = {"error_code": code}
    if param:
        details["field"] = param
    return _shaped(_KINDS.get(status, "api_error"), message, details)


def error_event(message: str, code: str) -> bytes:
    """An event inside a stream; it is the last."""
    kind = "timeout_error" if "timeout" in code else code if code in _EVENT_KINDS else "api_error"
    body = _shaped(kind, message, {"error_code": code})
    return b"event: error\ndata: " + body + b"\n\n"


def _shaped(kind: str, message: str, details: dict[str, Any]) -> bytes:
    error = {"type": kind, "message": message, "details": details}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": None})


class _Error(msgspec.Struct):
    message: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error | str


def error_text(body: bytes) -> str:
    """The vendor's message in an error answer, or the beginning of what it said instead."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody).error
    except msgspec.MsgspecError:
        return body[:300].decode("utf-8", "replace")
    return error if isinstance(error, str) else (error.message or "")
