"""Proofs of reasoning across formats. Knows whose a proof is; knows nothing of what it proves.

Google's SDKs take a `thoughtSignature` for bytes and write it anew, so only base64 survives them.
A proof of Gemini's own is marked on its way through other formats, so that it comes back to Gemini
and no other vendor's does; what other vendors gave is packed when it goes to a Gemini client.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from stockpot.providers.canon import Reasoning

OWN = "gemini:"
_PACKED = b"stockpot\0"
PACKED_BEGINS = urlsafe_b64encode(_PACKED).decode("ascii")
"""How every packed proof begins; nine bytes are twelve characters without a rest."""


class _Packed(msgspec.Struct, array_like=True):
    signature: str = ""
    hidden: str = ""
    ident: str = ""


def marked(signature: str) -> str:
    """What Gemini said, as it is known to other formats."""
    return OWN + signature if signature else ""


def unmarked(signature: str) -> str:
    """What Gemini once said, or '' for what it did not say."""
    return signature.removeprefix(OWN) if signature.startswith(OWN) else ""


def pack(signature: str, hidden: str = "", ident: str = "") -> str:
    """What another vendor gave, as a `thoughtSignature`; '' when it gave nothing."""
    if own := unmarked(signature):
        return own
    if not (signature or hidden or ident):
        return ""
    packed = msgspec.json.encode(_Packed(signature, hidden, ident))
    return urlsafe_b64encode(_PACKED + packed).decode("ascii")


def unpack(given: str) -> Reasoning:
    """A `thoughtSignature` that a client hands back, as reasoning without its text."""
    try:
        raw = urlsafe_b64decode(given.replace("+", "-").replace("/", "_") + "==")
        if raw.startswith(_PACKED):
            packed = msgspec.json.decode(raw[len(_PACKED) :], type=_Packed)
            return Reasoning(signature=packed.signature, hidden=packed.hidden, ident=packed.ident)
    except ValueError:
        pass
    return Reasoning(signature=marked(given))
