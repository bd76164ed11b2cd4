"""What generations of Claude accept. Knows names of models; knows no request.

Sources: platform.claude.com, "Migrating to API version 2026-10-21", "Adaptive thinking" and
"Mid-conversation system messages"; Amazon Bedrock's user guide, "Adaptive thinking" (read November
2026). A name without a version is taken for an old model or another vendor's, which take most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec

OLD_VERSION = "2023-06-01"
"""The last version of the API that takes temperature, top_p and top_k."""
NEW_VERSION = "2026-10-21"


class Traits(msgspec.Struct, frozen=True):
    """`thinking` is how a model is asked to think; `may_not_think` whether that can be switched
    off; `sampling` whether it takes temperature, top_p or top_k; `system_turns` whether a system
    message may stand between turns; `max_output` is our default for `max_tokens`, which Anthropic
    wants to be told."""

    thinking: Literal["budget", "adaptive"] = "budget"
    may_not_think: bool = True
    sampling: bool = True
    system_turns: bool = False
    max_output: int = 8192


_VERSION = re.compile(r"(?:^|[-.])(\d{1,2})(?:[-.](\d{1,2}))?(?=[-.@:]|$)")
_FAMILY = re.compile(r"claude|opus|sonnet|haiku|fable|mythos")


@lru_cache(maxsize=256)
def _of_name(model: str) -> Traits:
    name = model.lower()
    if _FAMILY.search(name) is None:
        return Traits()
    always = "mythos" in name or "fable" in name
    found = _VERSION.search(name.split("claude", 1)[-1])
    if found is None and not always:
        return Traits()
    version = (int(found[1]), int(found[2] or 0)) if found else (5, 0)
    if version < (4, 6) and not always:
        return Traits()
    return Traits(
        thinking="adaptive",
        may_not_think=not always,
        sampling=version < (4, 7) and not always,
        system_turns=version >= ((4, 8) if "opus" in name else (5, 0)),
        max_output=32_768,
    )


def traits_of(model: str, options: Mapping[str, str]) -> Traits:
    """Of a target's model; its options `thinking`, `sampling` and `max_tokens` have the last
    word."""
    traits = _of_name(model)
    if not options:
        return traits
    thinking = options.get("thinking", traits.thinking)
    sampling = options.get("sampling")
    most = options.get("max_tokens", "")
    return msgspec.structs.replace(
        traits,
        thinking="adaptive" if thinking == "adaptive" else "budget",
        sampling=traits.sampling if sampling is None else sampling == "true",
        max_output=int(most) if most.isdecimal() else traits.max_output,
    )
