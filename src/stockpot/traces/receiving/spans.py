"""One span of a sender as a row with its payload. Knows dialects' vocabulary and the row's columns.

Tokens and cost stand on calls of models alone: what is around them repeats their sums. What a
sender says of its cost is believed; else it comes from price rows, else it is unknown.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from stockpot.prices import DETAIL, Usage
from stockpot.traces.dialects import Normal, conversation_text, normalise
from stockpot.traces.dialects.fields import Found, as_float, as_int, as_list, as_text
from stockpot.traces.dialects.normalise import MODEL_KINDS
from stockpot.traces.excerpt import TEXT_LIMIT, preview
from stockpot.traces.names import MOST_TAGS, short
from stockpot.traces.otlp.incoming import REMOTE_PARENT, Incoming
from stockpot.traces.receiving.pricing import Prices
from stockpot.traces.store import NewPayload, NewSpan

NONE, FULL, MASKED = 0, 1, 2
"""What is kept of bodies, as in `NewSpan.payload`."""

_MESSAGE = 1000
_MOST_EXPERIMENTS = 8
_SHOWN, _SHOWN_INSIDE = 120, 60
"""Characters of a preview: of what lists show, and of the steps inside a trace."""

_BIGGEST = 1 << 43
_LATEST = (1 << 62) - 1
_PARAM_BYTES = 200
_ENDPOINTS = {"embedding": "embeddings", "reranker": "rerank", "llm": "chat"}
_CUT = frozenset({"stream", "stream_options"})
_encode = msgspec.json.Encoder().encode


class Origin(NamedTuple):
    """Whose spans these are, as the credential says; `environment` '' leaves it to the sender.
    `clean` spans are masked already, where that is the policy."""

    project: str
    environment: str = ""
    key_id: str = ""
    payload: int = FULL
    client: str = ""
    clean: bool = False


def row(span: Incoming, origin: Origin, prices: Prices) -> tuple[NewSpan, NewPayload | None]:
    """A span as the store takes it."""
    normal = normalise(span)
    found, kind = normal.found, normal.kind
    model_call = kind in MODEL_KINDS
    made = NewSpan(
        trace_id=span.trace_id, span_id=span.span_id, parent_id=span.parent_id,
        is_root=not span.parent_id or bool(span.flags & REMOTE_PARENT) or found.get("root") is True,
        project=origin.project, environment=_environment(span, found, origin),
        at_ns=_time(span.start_ns), start_ns=_time(span.start_ns),
        duration_ns=max(0, min(_time(span.end_ns) - _time(span.start_ns), _LATEST)),
        source="sdk" if span.under.scope == "stockpot" else "otlp", dialect=normal.dialect,
        kind=kind, name=short(span.name), key_id=origin.key_id, client=origin.client,
        finish_reason=short(as_text(found.get("finish_reasons"))),
        response_id=short(as_text(found.get("response_id"))),
        cost_nano=0, payload=origin.payload,
    )  # fmt: skip
    _tell_status(made, span, found)
    _tell_belonging(made, span, found)
    if model_call:
        _tell_call(made, normal, prices)
    made.params = _params(normal.params)
    made.tools = _tool_names(normal.said.tools)
    if origin.payload == NONE:
        return made, None
    asked, last = conversation_text(normal.said.input)
    answered, _ = conversation_text(normal.said.output)
    shown = _SHOWN if model_call or made.is_root else _SHOWN_INSIDE
    made.input_preview, made.output_preview = preview(last)[:shown], preview(answered)[:shown]
    if model_call:
        made.provenance = _provenance(made, normal)
    text = f"{asked[:TEXT_LIMIT]}\n{answered[:TEXT_LIMIT]}" if answered else asked[:TEXT_LIMIT]
    return made, NewPayload(None, None, text, span.piece)


def _environment(span: Incoming, found: Found, origin: Origin) -> str:
    if origin.environment:
        return origin.environment
    resource = span.under.resource
    told = (
        found.get("environment")
        or resource.get("deployment.environment.name")
        or resource.get("deployment.environment")
    )
    return short(as_text(told)) or "production"


def _tell_status(made: NewSpan, span: Incoming, found: Found) -> None:
    """How it ended. An exception is an event of a span that failed."""
    error = as_text(found.get("error"))
    made.status_code = max(0, min(as_int(found.get("status_code")), 999))
    if span.status != 2 and not error:
        return
    raised = next((e.attributes for e in span.events if e.name == "exception"), {})
    made.status = "error"
    made.error = short(error or as_text(raised.get("exception.type"))) or "error"
    told = span.message or as_text(raised.get("exception.message"))
    made.error_message = told[:_MESSAGE]


def _tell_belonging(made: NewSpan, span: Incoming, found: Found) -> None:
    """What it belongs to: who, which session, release, prompt, run."""
    resource = span.under.resource
    made.service = short(as_text(found.get("service") or resource.get("service.name")))
    release = found.get("release") or resource.get("service.version")
    made.release = short(as_text(release))
    made.trace_name = short(as_text(found.get("trace_name")))
    if made.is_root and not made.trace_name:
        made.trace_name = made.name
    for name in _BELONGING:
        if name in found:
            setattr(made, name, short(as_text(found[name])))
    if exposed := exposures_of(found):
        made.exposures = _encode(exposed).decode()
        made.experiment, made.variant, _ = exposed[0]
    if tags := as_list(found.get("tags")):
        made.tags = _encode([short(tag) for tag in tags[:MOST_TAGS]]).decode()
    weight = as_float(found.get("sample_weight"))
    made.sample_weight = weight if weight is not None and weight > 0 else None
    made.attempt = max(0, min(as_int(found.get("attempt")), 1000))


_BELONGING = (
    "user", "session", "prompt_name", "prompt_version", "prompt_label", "experiment", "variant",
    "dataset_run", "dataset_item", "agent", "tool", "service_tier",
)  # fmt: skip


def exposures_of(found: Found) -> tuple[tuple[str, str, str], ...]:
    """Experiment, arm and unit of each experiment that a span says it is counted in: one of each,
    or lists of as many. What has no unit is found by its experiment, and counted in no unit."""
    told = [_several(found.get(name)) for name in ("experiment", "variant", "unit")]
    every = list(zip_longest(*told, fillvalue=""))[:_MOST_EXPERIMENTS]
    return tuple((name, arm, unit) for name, arm, unit in every if name and arm)


def _several(value: Any) -> list[str]:
    return [short(as_text(one)) for one in (value if isinstance(value, list) else [value])]


def _tell_call(made: NewSpan, normal: Normal, prices: Prices) -> None:
    """What a call of a model used and cost, and how fast it was."""
    found = normal.found
    asked = short(as_text(found.get("request_model")))
    served = short(as_text(found.get("response_model")))
    made.provider = short(as_text(found.get("provider"))).lower()
    made.route = asked or served
    made.model = short(as_text(found.get("model"))) or asked or served
    made.served_model = served
    made.endpoint = _ENDPOINTS[made.kind]
    made.stream = bool(found.get("stream")) and as_text(found["stream"]).lower() != "false"
    usage = usage_of(found)
    made.input_tokens, made.output_tokens = usage.input, usage.output
    made.cache_read_tokens, made.cache_write_tokens = usage.cache_read, usage.cache_write
    made.reasoning_tokens = usage.reasoning
    made.usage_source = "provider" if usage.input or usage.output else "none"
    detail = [getattr(usage, name) for name in DETAIL]
    made.usage_detail = _encode(detail).decode() if any(detail) else ""
    _tell_cost(made, found, usage, prices)
    _tell_speed(made, found, usage.output)


def _tell_cost(made: NewSpan, found: Found, usage: Usage, prices: Prices) -> None:
    told = as_float(found.get("cost_usd"))
    if told is not None and told >= 0:
        made.cost_nano, made.cost_source = _fit(round(told * 1e9)), "provided"
        return
    made.cost_nano = None
    if made.usage_source == "none":
        return
    at_ms = made.start_ns // 1_000_000
    names = (made.served_model, made.model, made.route)
    cost = prices.cost(made.provider, names, usage, at_ms)
    if cost is None:
        return
    made.cost_nano, made.cost_source = _fit(cost.total), "computed"
    made.cost_detail = _encode(cost.parts).decode()
    made.unit_prices = _encode(cost.units).decode()
    made.price_id, made.price_source = cost.price_id, cost.source
    made.saved_nano = max(-_BIGGEST, min(cost.saved, _BIGGEST))


def _tell_speed(made: NewSpan, found: Found, output: int) -> None:
    seconds, ms = as_float(found.get("ttft_s")), as_float(found.get("ttft_ms"))
    first = as_int(found.get("first_token_ns"))
    if seconds is not None and seconds > 0:
        made.ttft_ns = round(seconds * 1e9)
    elif ms is not None and ms > 0:
        made.ttft_ns = round(ms * 1e6)
    elif first > made.start_ns:
        made.ttft_ns = first - made.start_ns
    if made.ttft_ns is not None and output > 1 and made.duration_ns > made.ttft_ns:
        made.tpot_ns = (made.duration_ns - made.ttft_ns) // (output - 1)


def usage_of(found: Found) -> Usage:
    """Tokens in our sense: `input` includes what the cache read and wrote. Some senders leave that
    out; where there is more in the cache than went in, they did."""
    read, written = _count(found, "cache_read"), _count(found, "cache_write")
    into, out = _count(found, "input_tokens"), _count(found, "output_tokens")
    if read + written > into:
        into += read + written
    if not out and into:
        out = max(0, _count(found, "total_tokens") - into)
    return Usage(
        input=into, output=out, cache_read=read, cache_write=written,
        reasoning=min(_count(found, "reasoning"), out),
        audio_input=_count(found, "audio_input"), audio_output=_count(found, "audio_output"),
        image_input=_count(found, "image_input"), image_output=_count(found, "image_output"),
        tier=as_text(found.get("service_tier")).lower(),
    )  # fmt: skip


def _count(found: Found, name: str) -> int:
    return _fit(as_int(found[name])) if name in found else 0


def _params(given: dict[str, Any]) -> str:
    kept = {k: v for k, v in given.items() if k not in _CUT and v is not None}
    if not kept:
        return ""
    try:
        small = {k: v for k, v in kept.items() if len(_encode(v)) <= _PARAM_BYTES}
        return _encode(small).decode() if small else ""
    except (TypeError, ValueError):
        return ""


def _tool_names(tools: Any) -> str:
    """Names of tools that could be used, sorted, as a JSON array; '' for none."""
    if not isinstance(tools, list):
        return ""
    given = (one.get("function", one) for one in tools if isinstance(one, dict))
    names = {as_text(one.get("name")) for one in given if isinstance(one, dict)} - {""}
    return _encode(sorted(names)).decode() if names else ""


def _provenance(made: NewSpan, normal: Normal) -> bytes:
    """What an answer came from: model, parameters, tools, prompt, release."""
    about = (
        made.provider, made.model, made.served_model, made.params, made.tools, made.prompt_name,
        made.prompt_version, made.release,
    )  # fmt: skip
    return blake2b("\0".join(about).encode("utf-8", "replace"), digest_size=8).digest()


def _time(ns: int) -> int:
    return ns if 0 <= ns <= _LATEST else 0


def _fit(count: int) -> int:
    """A number of a sender, as far as a sum of many fits a column."""
    return count if 0 <= count < _BIGGEST else min(max(count, 0), _BIGGEST)
