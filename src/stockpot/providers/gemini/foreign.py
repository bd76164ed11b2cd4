"""Proofs of other vendors in a Gemini request that goes to Gemini. Knows their mark; no proof.

Where a route has targets of several vendors, a Gemini client hands one what another gave; Google
refuses a request whose signatures it did not make.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.canon import Loss
from stockpot.providers.gemini.signatures import PACKED_BEGINS
from stockpot.providers.gemini.turns import UNPROVED

_MARK = PACKED_BEGINS.encode("ascii")
_NAMES = ("thoughtSignature", "thought_signature")
LOSSES = (Loss("reasoning.signature", "its proof is another vendor's, which Gemini cannot read"),)


def holds_foreign(body: bytes) -> bool:
    return _MARK in body


def without_foreign(body: bytes) -> bytes:
    """The body without them; function calls get what Google documents for calls of others."""
    request = msgspec.json.decode(body)
    contents = request.get("contents") if isinstance(request, dict) else None
    for content in contents if isinstance(contents, list) else ():
        parts = content.get("parts") if isinstance(content, dict) else None
        if isinstance(parts, list):
            content["parts"] = [kept for part in parts if (kept := _cleaned(part)) is not None]
    return msgspec.json.encode(request)


def _cleaned(part: Any) -> Any:
    """The part without a foreign proof; None when nothing else was in it."""
    if not isinstance(part, dict):
        return part
    name = next((name for name in _NAMES if name in part), "")
    if not name or not str(part[name]).startswith(PACKED_BEGINS):
        return part
    rest = {key: value for key, value in part.items() if key != name}
    if "functionCall" in rest or "function_call" in rest:
        return {**rest, name: UNPROVED}
    return rest if rest.get("text") or not rest.keys() <= {"text", "thought"} else None
