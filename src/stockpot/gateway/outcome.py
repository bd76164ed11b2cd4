"""Classes of failure, and what each allows. Knows HTTP statuses; knows no route and no client."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import msgspec

from stockpot.providers import BadRequest, CannotExpress

if TYPE_CHECKING:
    from stockpot.gateway.attempt import Attempt
    from stockpot.gateway.http.calls import FailureKind
    from stockpot.gateway.models import DegradePolicy
    from stockpot.providers import Loss


class Failure(NamedTuple):
    """Why a try failed before any byte reached the client.

    `error_class` is what `Route.retry_on` names (connect, timeout, rate_limit, server, stream), or
    auth and unsent (another target may do), or client (the request itself is at fault: nothing
    helps).
    `body` are the upstream's own bytes where they may go on to the client; `param` is the field of
    the request that is at fault.
    """

    error: str
    error_class: str
    status: int
    message: str
    retry_after_s: float = 0.0
    body: bytes | None = None
    movable: bool = True
    param: str = ""


def from_transport(kind: FailureKind, message: str, provider: str) -> Failure:
    """A connection or a timeout failed."""
    if kind.startswith("timeout"):
        return Failure(kind, "timeout", 504, f"{provider} did not answer in time: {message}")
    return Failure(kind, "connect", 502, f"{provider} could not be reached: {message}")


def not_sent(why: BadRequest | CannotExpress) -> Failure:
    """Nothing left for the upstream: the request is at fault, or this wire cannot say it."""
    if isinstance(why, BadRequest):
        return Failure(why.code, "client", 400, why.message, movable=False, param=why.param)
    return Failure("unsupported_by_target", "unsent", 400, str(why))


_ALLOWED = {"never": (), "hints": ("hint",), "all": ("hint", "content")}


def too_lossy(losses: tuple[Loss, ...], policy: DegradePolicy, provider: str) -> Failure | None:
    """A failure when the route's policy does not allow to leave these out."""
    refused = [loss for loss in losses if loss.kind not in _ALLOWED[policy]]
    if not refused:
        return None
    what = "; ".join(f"{loss.field!r}: {loss.why}" for loss in refused)
    message = (
        f"{provider} cannot take all of this request ({what}). Leave it out, use another model, or "
        "let the route leave it out (degrade)"
    )
    return Failure("unsupported_by_target", "unsent", 400, message)


def from_answer(attempt: Attempt, body: bytes) -> Failure:
    """The upstream answered with an error status."""
    status = attempt.status
    provider = attempt.target.spec.provider
    said = attempt.target.wire.error_message(body)
    wait = retry_after(attempt.headers) or _said_in_body(attempt.target.wire, body)
    if status == 429:
        return Failure("upstream_rate_limit", "rate_limit", 429, said, wait, body)
    if status in (401, 402, 403):
        message = f"{provider} refused the gateway's credential ({status}); check its key: {said}"
        if status == 402:
            message = f"{provider} wants the gateway's account to be paid (402): {said}"
        return Failure("upstream_authentication", "auth", 502, message)
    if status in (408, 504):
        return Failure("upstream_timeout", "timeout", 504, said, wait, body)
    if status >= 500 or status == 425:  # too early (RFC 8470)
        return Failure("upstream_error", "server", status, said, wait, body)
    if status in (404, 405, 410):  # of a model that this target has not, or no more
        return Failure("upstream_refused", "unsent", status, said, 0.0, body)
    return Failure("upstream_refused", "client", status, said, 0.0, body, movable=False)


_OBJECTS = frozenset(("chat", "completions", "embeddings", "count_tokens", "moderations", "rerank"))
"""Endpoints whose whole answers are JSON objects in every dialect."""
_ANSWERS = frozenset(
    ("choices", "content", "candidates", "output", "data", "embeddings", "results")
)
_STREAMED = frozenset(("openai", "anthropic", "responses"))
"""Dialects whose streams are server-sent events, whatever type they are said to be of."""
_EVENT = (b"data:", b"event:", b"id:", b"retry:", b":")
_NOTHING = frozenset((b"null", b"false", b'""', b"{}", b"[]"))


def amiss(attempt: Attempt, body: bytes) -> str:
    """Why the whole body of a good status is no answer that may pass as it is; "" when it may. Such
    are a proxy's page, nothing at all, an error under a 200, a stream nobody asked for."""
    ask, answer = attempt.call.ask, attempt.answer
    assert ask is not None
    assert answer is not None
    if answer.content_type:  # told anew, and so read already
        return ""
    if ask.endpoint not in _OBJECTS or ask.stream:
        whole = ask.stream and ask.dialect in _STREAMED and not body.lstrip().startswith(_EVENT)
        if whole and ask.endpoint in ("chat", "completions"):
            return f"no stream, but {body[:200].decode('utf-8', 'replace')}"
        return "it says that it is JSON and is none" if _torn(attempt, body) else ""
    try:
        fields = _object(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "it is no JSON object"
    error = fields.get("error")
    if error is None or bytes(error) in _NOTHING or not _ANSWERS.isdisjoint(fields):
        return ""
    return attempt.target.wire.error_message(body) or "an error"


def _torn(attempt: Attempt, body: bytes) -> bool:
    """Whether a body that is said to be JSON is none, as when its stated length is too short."""
    assert attempt.answer is not None
    kind = next((value for name, value in attempt.headers if name == b"content-type"), b"")
    if attempt.answer.ended or not kind.startswith(b"application/json"):
        return False
    try:
        _any_json(body)
    except msgspec.DecodeError:
        return True
    return False


_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any_json = msgspec.json.Decoder(msgspec.Raw).decode


def retry_after(headers: list[tuple[bytes, bytes]]) -> float:
    """Seconds of a `Retry-After` header (delta or date, RFC 9110 10.2.3) or its `-ms` variant."""
    for name, value in headers:
        if name == b"retry-after-ms":
            return _seconds(value) / 1000
        if name == b"retry-after":
            return _seconds(value) or _until(value)
    return 0.0


@runtime_checkable
class SaysWait(Protocol):
    """A wire whose error answers say in their body how long to wait."""

    def retry_after_s(self, body: bytes) -> float: ...


def _said_in_body(wire: object, body: bytes) -> float:
    return wire.retry_after_s(body) if isinstance(wire, SaysWait) else 0.0


def _seconds(value: bytes) -> float:
    try:
        return min(max(0.0, float(value)), 86_400.0)
    except ValueError:
        return 0.0


def _until(value: bytes) -> float:
    try:
        at = parsedate_to_datetime(value.decode("latin-1"))
    except ValueError:
        return 0.0
    return max(0.0, at.timestamp() - time.time())
