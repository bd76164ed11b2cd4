"""The list of models in the shapes that dialects expect. Knows routes; knows no key, no request.

Sources: `Model` of the openai Python package, 3.54; `ModelInfo` and `SyncPage` of the anthropic
Python package, 2.12; `Model` of the google-genai Python package, 3.4.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpot.gateway.snapshot import View

Card = dict[str, Any]


def listed(view: View, names: Sequence[str], wanted: str, dialect: str) -> Card | None:
    """All of `names`, or the one that is wanted; None when there is no such one."""
    shape = _SHAPES.get(dialect, _openai)
    if wanted:
        return shape(view, wanted) if wanted in names else None
    cards = [shape(view, name) for name in names]
    if dialect == "gemini":
        return {"models": cards}
    if dialect != "anthropic":
        return {"object": "list", "data": cards}
    first, last = (cards[0]["id"], cards[-1]["id"]) if cards else (None, None)
    return {"data": cards, "has_more": False, "first_id": first, "last_id": last}


def _created(view: View, name: str) -> int:
    return view.routes[name].spec.created_ms // 1000 or int(time.time())


def _openai(view: View, name: str) -> Card:
    tiers = view.routes[name].tiers
    owners = sorted({target.spec.provider for tier in tiers for target, _ in tier})
    created = _created(view, name)
    return {"id": name, "object": "model", "created": created, "owned_by": ", ".join(owners)}


def _anthropic(view: View, name: str) -> Card:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_created(view, name)))
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": created,
        "lifecycle": "active",
    }


_VERBS = {
    "chat": ("generateContent", "streamGenerateContent", "countTokens"),
    "embeddings": ("embedContent", "batchEmbedContents"),
}


def _gemini(view: View, name: str) -> Card:
    endpoints = view.routes[name].endpoints
    verbs = [verb for endpoint in sorted(endpoints) for verb in _VERBS.get(endpoint, ())]
    return {
        "name": f"models/{name}",
        "version": "1",
        "displayName": name,
        "supportedGenerationMethods": verbs,
    }


_SHAPES = {"anthropic": _anthropic, "gemini": _gemini}
