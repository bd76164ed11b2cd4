"""Anthropic's account of tokens, and the house's. Knows both counts; knows no request, no price.

Anthropic's `input_tokens` leaves out what was read from or written to the cache; ours does not.

Source: `Usage` and `MessageDeltaUsage` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.prices import Usage


class CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class ServerToolUse(msgspec.Struct):
    web_search_requests: int | None = None


class OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class UsageBody(msgspec.Struct):
    """`usage` of a message, of `message_start` (whole) and of `message_delta` (what changed)."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerToolUse | None = None
    service_tier: str | None = None
    speed: str | None = None


def merged(before: UsageBody | None, now: UsageBody) -> UsageBody:
    """Counts of a stream are cumulative; what a later event leaves out stays as it was."""
    if before is None:
        return now
    said = {f: v for f in UsageBody.__struct_fields__ if (v := getattr(now, f)) is not None}
    return msgspec.structs.replace(before, **said)


def counted(body: UsageBody) -> Usage:
    """In the house's buckets."""
    kept, details, ran = body.cache_creation, body.output_tokens_details, body.server_tool_use
    long_kept = (kept.ephemeral_1h_input_tokens or 0) if kept else 0
    written = body.cache_creation_input_tokens
    if written is None:
        written = long_kept + ((kept.ephemeral_5m_input_tokens or 0) if kept else 0)
    read = body.cache_read_input_tokens or 0
    tier = "fast" if body.speed == "fast" else body.service_tier or ""
    return Usage(
        input=(body.input_tokens or 0) + read + written,
        output=body.output_tokens or 0,
        cache_read=read,
        cache_write=written,
        reasoning=(details.thinking_tokens or 0) if details else 0,
        cache_write_1h=long_kept,
        searches=(ran.web_search_requests or 0) if ran else 0,
        tier="" if tier == "standard" else tier,
    )


_TIERS = frozenset(("standard", "priority", "batch"))


def stated(usage: Usage, *, whole: bool) -> dict[str, Any]:
    """As Anthropic says it: `whole` for a message, else for `message_delta`."""
    said: dict[str, Any] = {
        "input_tokens": max(0, usage.input - usage.cache_read - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        said["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.searches:
        said["server_tool_use"] = {
            "web_search_requests": usage.searches,
            "web_fetch_requests": 0,
        }
    if whole:
        said["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
        said["service_tier"] = usage.tier if usage.tier in _TIERS else "standard"
    return said
