"""The answers that the server gives by itself: refusals, preflights, failures of the handler.

Knows the error shape that clients of the OpenAI API know; knows nothing of connections.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from stockpot.gateway.http.exchange import ServerExchange, StatusLines, answer_head
from stockpot.gateway.http.messages import Headers
from stockpot.gateway.http.request_head import Refused

if TYPE_CHECKING:
    from stockpot.gateway.http.cors import Cors

_log = logging.getLogger(__name__)

_JSON: Headers = [(b"content-type", b"application/json")]


def refusal(refused: Refused, status_lines: StatusLines) -> bytes:
    """A whole answer that ends its connection."""
    body = _error_body(refused.message, refused.code)
    framing = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    return answer_head(status_lines[refused.status], _JSON, framing) + body


def preflight(exchange: ServerExchange, cors: Cors) -> None:
    """Answer a browser that asks whether it may send the real request."""
    request = exchange.request
    if cors.allows(request.header(b"origin") or b""):
        exchange.respond(204, cors.preflight_headers(request), b"")
    else:
        message = "pages of this origin may not call; add the origin to the CORS allow-list"
        exchange.respond(403, _JSON, _error_body(message, "origin_not_allowed"))


def handler_failed(exchange: ServerExchange, error: Exception) -> None:
    """Log where it happened, and answer 500 where no answer has begun."""
    request = exchange.request
    _log_failure(error, f"handling {request.method!r} {request.path!r}")
    if exchange.started:
        exchange.abort()
    else:
        body = _error_body("the gateway failed; see its log", "internal_error")
        exchange.respond(500, _JSON, body)


def call_safely(callback: Callable[[], None]) -> None:
    """A callback's failure must not break the connection's own bookkeeping."""
    try:
        callback()
    except Exception as error:
        _log_failure(error, "a callback of an answer")


def _log_failure(error: Exception, doing: str) -> None:
    # The message of an exception may quote what the client sent: it is left out of the log.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s in %s\n%s", type(error).__name__, doing, where)


def _error_body(message: str, code: str) -> bytes:
    kind = "server_error" if code in ("internal_error", "overloaded") else "invalid_request_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error}).encode()
