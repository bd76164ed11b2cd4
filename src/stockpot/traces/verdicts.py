"""What guardrails said of a call, as spans below it. Knows records; knows no rail and no text.

A rule that found something, or failed, is a span of the kind `guardrail`: `agent` is the policy,
`tool` the rule, and the previews say what was found and how often. A policy that had nothing to say
leaves none.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from stockpot.gateway import Record, Verdict
from stockpot.traces.store import NewSpan

SOURCE = "guardrail"


def verdict_spans(record: Record) -> Iterator[NewSpan]:
    """One span to each rule that had something to say."""
    if not record.guardrails:
        return
    policy = record.guardrails[0].rail
    for number, one in enumerate(record.guardrails[1:]):
        ident = blake2b(record.span_id + number.to_bytes(2, "big"), digest_size=8).digest()
        yield NewSpan(
            trace_id=record.trace_id, span_id=ident, parent_id=record.span_id, is_root=False,
            project=record.project, environment=record.environment, at_ns=record.start_ns,
            start_ns=record.start_ns, duration_ns=one.us * 1000, source=SOURCE, kind="guardrail",
            name=_name(one), key_id=record.key_id, agent=policy, tool=one.rule,
            output_preview=_said(one), route_reason="shadow" if one.shadow else one.action,
            user=record.user, session=record.session, revision=record.revision,
        )  # fmt: skip


def _name(one: Verdict) -> str:
    said = f"{one.failed}, {one.action}" if one.failed else one.action
    return f"{one.rule}: {said}{' (shadow)' if one.shadow else ''}"


def _said(one: Verdict) -> str:
    found = ", ".join(f"{kind} ×{count}" for kind, count in one.found)
    what = f"the rail failed ({one.failed})" if one.failed else found
    return f"{one.rail} on {one.where}: {what} · {one.us} µs"
