"""Gemini's usage in our buckets, both ways. Knows token counts; knows no price.

Gemini's `candidatesTokenCount` leaves thoughts out, our output includes them. What tools at Google
read for the model is input, which `promptTokenCount` leaves out.
"""

from __future__ import annotations

from collections.abc import Collection

from stockpot.prices import Usage
from stockpot.providers.canon import JSON
from stockpot.providers.gemini.answer import Modality, UsageMetadata

_ORDINARY = frozenset(("", "standard", "unspecified", "ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED"))
_TRAFFIC = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}


def usage_of(said: UsageMetadata, searches: int) -> Usage:
    tier = said.serviceTier.lower() or said.trafficType
    into, out = said.promptTokensDetails, said.candidatesTokensDetails
    tools, cached = said.toolUsePromptTokensDetails, said.cacheTokensDetails
    return Usage(
        input=said.promptTokenCount + said.toolUsePromptTokenCount,
        output=said.candidatesTokenCount + said.thoughtsTokenCount,
        cache_read=said.cachedContentTokenCount,
        reasoning=said.thoughtsTokenCount,
        audio_input=_of("AUDIO", into) + _of("AUDIO", tools),
        audio_output=_of("AUDIO", out),
        image_input=_of("IMAGE", into) + _of("IMAGE", tools),
        image_output=_of("IMAGE", out),
        searches=searches,
        tier="" if tier in _ORDINARY else _TRAFFIC.get(tier, tier.lower()),
        cache_read_audio=_of("AUDIO", cached),
        cache_read_image=_of("IMAGE", cached),
    )


def billed_searches(model: str, queries: Collection[str]) -> int:
    """How many searches Google bills: up to Gemini 2 a grounded prompt is one, since Gemini 3 every
    different query is; empty ones are none (ai.google.dev/gemini-api/docs/pricing)."""
    ran = len(set(queries) - {""})
    return min(ran, 1) if model.startswith(("gemini-1", "gemini-2")) else ran


def _of(modality: str, details: list[Modality] | None) -> int:
    return sum(one.tokenCount for one in details if one.modality == modality) if details else 0


def metadata_of(usage: Usage) -> JSON:
    """`usageMetadata` of an answer."""
    said: JSON = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
    }
    if usage.reasoning:
        said["thoughtsTokenCount"] = usage.reasoning
    if usage.cache_read:
        said["cachedContentTokenCount"] = usage.cache_read
    if usage.audio_input or usage.image_input:
        said["promptTokensDetails"] = _details(usage.input, usage.audio_input, usage.image_input)
    if usage.audio_output or usage.image_output:
        plain = usage.output - usage.reasoning
        details = _details(plain, usage.audio_output, usage.image_output)
        said["candidatesTokensDetails"] = details
    return said


def _details(total: int, audio: int, image: int) -> list[JSON]:
    counts = {"TEXT": total - audio - image, "AUDIO": audio, "IMAGE": image}
    return [{"modality": name, "tokenCount": count} for name, count in counts.items() if count]
