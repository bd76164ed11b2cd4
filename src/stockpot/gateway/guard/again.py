"""The request that asks a model again: what it said, and what was wrong with it. Knows dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stockpot.rails import Outcome

if TYPE_CHECKING:
    from stockpot.gateway.call import Call
    from stockpot.gateway.guard.whole import Held, Plain, Whole

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def asked_again(call: Call, answer: Whole | Held | Plain, found: Outcome) -> bytes | None:
    """The body of the second request; None where the endpoint knows no conversation."""
    if call.endpoint != "chat":
        return None
    body = _decode(call.request.body)
    spoken = "\n\n".join(slot.text for slot in answer.slots if slot.where == "output")
    called = "\n\n".join(slot.text for slot in answer.slots if slot.where == "tool_call")
    before = spoken or called or "(nothing)"
    told = _complaint(found)
    if call.dialect.name == "gemini":
        body.setdefault("contents", []).extend([_gemini("model", before), _gemini("user", told)])
    elif call.dialect.name == "responses":
        own = body.get("input", [])
        turns = [{"role": "user", "content": own}] if isinstance(own, str) else list(own)
        body["input"] = [*turns, *_turns(before, told)]
    else:
        body.setdefault("messages", []).extend(_turns(before, told))
    return _encode(body)


def _turns(before: str, told: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": before}, {"role": "user", "content": told}]


def _gemini(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def _complaint(found: Outcome) -> str:
    """What the rail has against the answer, in words for the model."""
    types = sorted({f.type for hit in found.hits if hit.rule == found.rule for f in hit.findings})
    why = found.message or (f"it holds {', '.join(types)}" if types else "it breaks a rule")
    return f"That answer cannot be used: {why}. Answer again so that this is mended."
