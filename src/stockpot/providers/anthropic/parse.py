"""A request in Anthropic's dialect, read in full into a `Prompt`. Knows its fields; knows no wire.

Content blocks are read in `blocks`. What the canonical form cannot hold goes into `Prompt.extra`.

Source: `MessageCreateParams` of the anthropic Python package, 2.12, and the three parameters of
sampling in API version 2023-06-01.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from stockpot.providers.anthropic.blocks import Extra, cache_of, parts_of
from stockpot.providers.anthropic.proofs import given_back
from stockpot.providers.base import BadRequest
from stockpot.providers.canon import (
    Format,
    Part,
    Prompt,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)
from stockpot.providers.fields import Fields

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def parse(body: bytes) -> Prompt:
    """Raises BadRequest naming the field at fault."""
    try:
        asked = Fields(_decode(body))
    except msgspec.MsgspecError as bad:
        raise BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json") from None
    extra: Extra = {}
    for known in ("model", "stream"):  # read before, see `dialect`
        asked.take(known)
    config = asked.inner("output_config") or Fields({}, "output_config")
    choice, parallel = _tool_choice(asked.inner("tool_choice"), extra)
    prompt = Prompt(
        system=_system(asked.take("system"), extra),
        turns=_turns(asked.items("messages"), extra),
        tools=tuple(_tool(one, i, extra) for i, one in enumerate(asked.items("tools"))),
        tool_choice=choice,
        parallel_tools=parallel,
        format=_format(config.inner("format") or asked.inner("output_format"), extra),
        thinking=_thinking(asked.inner("thinking"), config, extra),
        max_output=asked.whole("max_tokens"),
        temperature=asked.number("temperature"),
        top_p=asked.number("top_p"),
        top_k=asked.whole("top_k"),
        stop=asked.strings("stop_sequences"),
        user=_user(asked.inner("metadata"), extra),
        service_tier=_tier(asked.text("service_tier")),
        extra=extra,
    )
    config.leave(extra)
    asked.leave(extra)
    return prompt


def _system(found: object, extra: Extra) -> tuple[Text, ...]:
    parts = parts_of(found, "system", extra) if found is not None else ()
    if not all(isinstance(part, Text) for part in parts):
        raise BadRequest("'system' may hold text only", "system")
    return cast("tuple[Text, ...]", parts)


def _turns(found: list[Any], extra: Extra) -> tuple[Turn, ...]:
    if not found:
        raise BadRequest("'messages' must hold at least one message", "messages")
    return tuple(_turn(Fields(one, f"messages[{i}]"), extra) for i, one in enumerate(found))


def _turn(turn: Fields, extra: Extra) -> Turn:
    role, at = turn.needed("role"), turn.path("content")
    parts: tuple[Part, ...] = parts_of(turn.take("content"), at, extra)
    turn.leave(extra)
    if role == "user":
        return Turn("user", parts)
    if role == "assistant":
        return Turn("assistant", given_back(parts))
    if role == "system":
        return Turn("system", parts)
    at = turn.path("role")
    raise BadRequest(f"{at!r} must be 'user', 'assistant' or 'system', not {role!r}", at)


def _tool(found: Any, number: int, extra: Extra) -> Tool | ServerTool:
    kind = found.get("type") if isinstance(found, dict) else None
    if kind is not None and kind != "custom":
        return ServerTool("anthropic", str(found.get("name") or kind), found)
    tool = Fields(found, f"tools[{number}]")
    tool.take("type")
    made = Tool(
        name=tool.needed("name"),
        description=tool.text("description"),
        schema=tool.whatever("input_schema"),
        strict=tool.flag("strict"),
        cache=cache_of(tool, extra),
    )
    tool.leave(extra)
    return made


_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}


def _tool_choice(found: Fields | None, extra: Extra) -> tuple[ToolChoice | None, bool | None]:
    if found is None:
        return None, None
    kind = found.needed("type")
    if kind not in _MODES:
        raise _one_of(found.path("type"), _MODES)
    name = found.needed("name") if kind == "tool" else ""
    alone = found.flag("disable_parallel_tool_use")
    found.leave(extra)
    choice = msgspec.convert({"mode": _MODES[kind], "name": name}, ToolChoice)
    return choice, None if alone is None else not alone


def _one_of(at: str, known: dict[str, Any]) -> BadRequest:
    return BadRequest(f"{at!r} must be one of {', '.join(known)}", at)


def _format(found: Fields | None, extra: Extra) -> Format | None:
    if found is None:
        return None
    if found.needed("type") != "json_schema":
        raise BadRequest(f"{found.path('type')!r} must be 'json_schema'", found.path("type"))
    made = Format(kind="schema", schema=found.whatever("schema"), strict=True)
    found.leave(extra)
    return made


_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_SHOWN = {"summarized": True, "omitted": False}


def _thinking(found: Fields | None, config: Fields, extra: Extra) -> Thinking | None:
    effort = config.text("effort")
    if effort and effort not in _EFFORTS:
        raise _one_of(config.path("effort"), _EFFORTS)
    if found is None and not effort:
        return None
    if effort in ("xhigh", "max"):
        extra[config.path("effort")] = effort
    budget, shown = None, None
    if found is not None:
        budget = _budget(found, extra)
        shown = _SHOWN.get(found.text("display"))
        found.leave(extra)
    return Thinking(effort=_EFFORTS.get(effort, ""), budget=budget, show=shown)


def _budget(found: Fields, extra: Extra) -> int:
    kind = found.needed("type")
    if kind == "disabled":
        return 0
    if kind == "enabled":
        budget = found.whole("budget_tokens")
        if budget is None or budget < 1024:
            at = found.path("budget_tokens")
            raise BadRequest(f"{at!r} must be at least 1024", at)
        return budget
    if kind == "between_tools":
        extra[found.path("type")] = kind
    elif kind != "adaptive":
        known = {"adaptive": 1, "enabled": 1, "disabled": 1, "between_tools": 1}
        raise _one_of(found.path("type"), known)
    return -1


def _tier(name: str) -> str:
    """`standard_only` is what others call the default."""
    return "default" if name == "standard_only" else name


def _user(found: Fields | None, extra: Extra) -> str:
    if found is None:
        return ""
    user = found.text("user_id")
    found.leave(extra)
    return user
