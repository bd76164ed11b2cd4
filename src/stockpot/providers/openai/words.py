"""Pieces of an answer in OpenAI's chat format, the same whole and streamed. Knows no stream.

What the format has no words for is said as other servers of it do: the proof of reasoning in
`reasoning_details`, pictures in `images`, a signed tool call in `extra_content`, a vendor's own
word for the end in `native_finish_reason` and a stop sequence in `stop_reason`.

Source: OpenAI's API reference; for those fields OpenRouter's, Google's and vLLM's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockpot.prices import Usage
    from stockpot.providers.canon import Citation, Ended, PartBegan

TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
_FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "error": "stop",
}
_PLAIN = frozenset(("stop", "length", "tool_calls", "content_filter"))


def finish(ended: Ended, refused: bool, legacy: bool) -> dict[str, Any]:
    """Why a choice ended. A refusal that stands in the message itself is an ordinary end."""
    word = _FINISH[ended.reason]
    if refused and ended.reason == "refusal":
        word = "stop"
    if legacy and word == "tool_calls":
        word = "function_call"
    found: dict[str, Any] = {"finish_reason": word}
    if ended.reason not in _PLAIN:
        found["native_finish_reason"] = ended.said or ended.reason
    if ended.stop:
        found["stop_reason"] = ended.stop
    return found


def usage_of(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": usage.audio_input,
            "image_tokens": usage.image_input,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
        },
    }


def annotation(citation: Citation, begin: int, end: int) -> dict[str, Any]:
    """A citation of text that stands between two offsets of the message's content."""
    cited: dict[str, Any] = {
        "url": citation.url,
        "title": citation.title,
        "start_index": begin + (citation.start or 0),
        "end_index": end if citation.end is None else begin + citation.end,
    }
    if citation.quote:
        cited["quote"] = citation.quote
    if citation.source:
        cited["source"] = citation.source
    return {"type": "url_citation", "url_citation": cited}


def reasoning_detail(began: PartBegan, index: int, text: str, signature: str) -> dict[str, Any]:
    """Reasoning as it must be handed back: with its proof, or as the vendor encrypted it."""
    ident = {"id": began.ident} if began.ident else {}
    if began.hidden:
        return {"type": "reasoning.encrypted", "data": began.hidden, "index": index, **ident}
    said = {"text": text, "signature": signature}
    return {"type": "reasoning.text", **said, "index": index, **ident}


def image(began: PartBegan, index: int, data: str) -> dict[str, Any]:
    url = f"data:{began.media_type or 'image/png'};base64,{data}"
    return {"type": "image_url", "image_url": {"url": url}, "index": index}


def signed(signature: str) -> dict[str, Any]:
    """The proof of a tool call."""
    return {"extra_content": {"google": {"thought_signature": signature}}}
