"""Heads and bodies of what goes back to the client. Knows headers; knows no socket."""

from __future__ import annotations

import time
from binascii import hexlify
from typing import TYPE_CHECKING

from stockpot.gateway.limits import reset_text
from stockpot.gateway.models import STAGES

if TYPE_CHECKING:
    from stockpot.gateway.attempt import Attempt
    from stockpot.gateway.call import Call, Reply
    from stockpot.gateway.http.messages import Headers
    from stockpot.gateway.limits import Gate
    from stockpot.gateway.outcome import Failure

_DROPPED = frozenset((
    b"connection", b"keep-alive", b"proxy-authenticate", b"te", b"trailer", b"transfer-encoding",
    b"upgrade", b"content-length", b"server", b"date", b"set-cookie", b"alt-svc", b"via",
    b"strict-transport-security", b"server-timing", b"access-control-allow-origin",
    b"access-control-allow-credentials", b"access-control-allow-headers", b"traceparent",
))  # fmt: skip
"""Upstream headers that are about the upstream's own connection, site or browser policy."""

_JSON = (b"content-type", b"application/json")
_TIMING = tuple(stage.encode() for stage in STAGES)
_WHOLE = b", ".join(stage + b";dur=%.3f" for stage in _TIMING[:6])


FIGURES_NS = 10_000_000
"""So long the figures of the x-ratelimit headers are shown again before they are counted anew."""


def server_timing(marks: list[int], now: int) -> bytes:
    """Durations in milliseconds by stage (W3C Server Timing)."""
    if len(marks) == 6:
        a, b, c, d, e, f = marks
        stages = ((b - a) / 1e6, (c - b) / 1e6, (d - c) / 1e6, (e - d) / 1e6, (f - e) / 1e6)
        return _WHOLE % (*stages, (now - f) / 1e6)
    ends = marks[1:]
    ends.append(now)
    parts = [
        b"%b;dur=%.3f" % (name, (after - before) / 1e6)
        for name, before, after in zip(_TIMING, marks, ends, strict=False)
    ]
    return b", ".join(parts)


def headers_of(attempt: Attempt, now: int) -> Headers:
    """The client's headers for an answer of an upstream."""
    call = attempt.call
    kept = [
        pair
        for pair in attempt.headers
        if pair[0] not in _DROPPED and not pair[0].startswith(b"x-ratelimit-")
    ]
    answer = attempt.answer
    if answer is not None and answer.content_type:
        kept = [pair for pair in kept if pair[0] != b"content-type"]
        kept.append((b"content-type", answer.content_type))
    if attempt.degraded:
        kept.append(
            (b"x-stockpot-degraded", ", ".join(attempt.degraded).encode("ascii", "replace"))
        )
    kept += about(call, now)
    return kept


def about(call: Call, now: int) -> Headers:
    """What every answer to an admitted call says of it: its trace, its times, its key's limits."""
    said = [
        (b"x-stockpot-trace-id", hexlify(call.trace_id)),
        (b"server-timing", server_timing(call.marks, now)),
    ]
    if call.prompt is not None:
        used = f"{call.prompt.name}@{call.prompt.version}"
        said.append((b"x-stockpot-prompt", used.encode("ascii", "replace")))
    if call.exposures:
        in_arms = ", ".join(f"{name}; arm={arm}" for name, arm, _ in call.exposures)
        said.append((b"x-stockpot-experiment", in_arms.encode("ascii", "replace")))
    key = call.key
    if key is not None and key.gates:
        if now - key.shown_at > FIGURES_NS:
            key.shown, key.shown_at = rate_limits(key.gates[0]), now
        said += key.shown
    return said


def rate_limits(gate: Gate) -> Headers:
    """The client's own limits in the names that OpenAI's dialect uses."""
    seen = gate.figures(time.monotonic_ns())
    out: Headers = []
    if seen.limit_requests:
        out.append((b"x-ratelimit-limit-requests", b"%d" % seen.limit_requests))
        out.append((b"x-ratelimit-remaining-requests", b"%d" % seen.remaining_requests))
        out.append((b"x-ratelimit-reset-requests", reset_text(seen.reset_requests_s).encode()))
    if seen.limit_tokens:
        out.append((b"x-ratelimit-limit-tokens", b"%d" % seen.limit_tokens))
        out.append((b"x-ratelimit-remaining-tokens", b"%d" % seen.remaining_tokens))
        out.append((b"x-ratelimit-reset-tokens", reset_text(seen.reset_tokens_s).encode()))
    return out


def failed(attempt: Attempt, failure: Failure) -> tuple[int, Headers, bytes]:
    """The last try failed: the upstream's words where the dialect is the client's, else ours."""
    call = attempt.call
    body = failure.body
    headers: Headers = [(b"x-stockpot-trace-id", call.trace_id.hex().encode())]
    if failure.retry_after_s:
        headers.append((b"retry-after", b"%d" % max(1, round(failure.retry_after_s + 0.49))))
    ask, target = call.ask, attempt.target
    if body is not None and ask is not None and target.wire.passes(ask, target.spec):
        types = [pair for pair in attempt.headers if pair[0] == b"content-type"]
        return failure.status, [*types, *headers], body
    body = call.dialect.error(failure.status, failure.message, failure.error, failure.param)
    return failure.status, [_JSON, *headers], body


def refusal(call: Call, reply: Reply) -> tuple[int, Headers, bytes]:
    """The gateway's own answer."""
    headers: Headers = [_JSON, (b"x-stockpot-trace-id", call.trace_id.hex().encode())]
    headers.extend(reply.headers)
    if reply.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return (
        reply.status,
        headers,
        call.dialect.error(reply.status, reply.message, reply.code, reply.param),
    )
