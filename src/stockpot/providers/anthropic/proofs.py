"""Proofs of reasoning that are not Anthropic's, in Anthropic's blocks. Knows whose a proof is.

Some vendors sign tool calls and want the proof back; Anthropic's calls have no field for one. Such
a proof goes to the client as a redacted block behind the call, which SDKs hand back as it is, and
becomes the call's again when the request is translated. Anthropic itself takes back only its own:
its proofs are base64, those of others have a colon, and reasoning without a proof came from others.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.providers.canon import Part, Reasoning, ToolCall

_CALL = "stockpot-call:"
_MARKS = (b'"stockpot', b'"gemini:', b'"signature":""', b'"signature": ""')
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def of_call(ident: str, signature: str) -> str:
    """The `data` of a redacted block that stands for the proof of a call."""
    return f"{_CALL}{len(ident)}:{ident}:{signature}"


def _call_of(data: str) -> tuple[str, str] | None:
    size, colon, rest = data.removeprefix(_CALL).partition(":")
    if not data.startswith(_CALL) or not colon or not size.isdecimal():
        return None
    end = int(size)
    return rest[:end], rest[end + 1 :]


def given_back(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Parts of a turn, with the proofs of calls where they belong."""
    proofs: dict[str, str] = {}
    kept: list[Part] = []
    for part in parts:
        found = _call_of(part.hidden) if isinstance(part, Reasoning) and part.hidden else None
        if found is None:
            kept.append(part)
        else:
            proofs[found[0]] = found[1]
    if not proofs:
        return parts
    return tuple(
        msgspec.structs.replace(part, signature=proofs[part.ident])
        if isinstance(part, ToolCall) and part.ident in proofs
        else part
        for part in kept
    )


def is_own(signature: str) -> bool:
    """Whether a proof may be Anthropic's."""
    return bool(signature) and ":" not in signature


def may_hold_foreign(body: bytes) -> bool:
    """A cheap look at a request; text can look like it too."""
    return any(mark in body for mark in _MARKS)


def without_foreign(body: bytes) -> bytes:
    """A request without reasoning that Anthropic would refuse; the same bytes if there is none."""
    fields = _fields.decode(body)
    messages = msgspec.json.decode(fields["messages"])
    if not isinstance(messages, list):
        return body
    found = [block for message in messages for block in _foreign(message)]
    if not found:
        return body
    for message in messages:
        away = _foreign(message)
        if away:
            message["content"] = [one for one in message["content"] if one not in away]
    kept = [m for m in messages if not isinstance(m, dict) or m.get("content") != []]
    fields["messages"] = msgspec.Raw(msgspec.json.encode(kept))
    return msgspec.json.encode(fields)


def _foreign(message: Any) -> list[Any]:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict) and _is_foreign(block)]


def _is_foreign(block: dict[str, Any]) -> bool:
    if block.get("type") == "thinking":
        return not is_own(str(block.get("signature") or ""))
    return block.get("type") == "redacted_thinking" and not is_own(str(block.get("data") or ""))
