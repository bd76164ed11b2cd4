"""The cases: what is asked, which scene the upstream plays, and what must be seen there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.integration.conformance.talk import (
    CLOCK,
    PDF,
    PNG,
    POT,
    WEATHER,
    Asked,
    Call,
    Result,
    Seen,
    Turn,
)

PICTURE_URL = "https://pictures.example/kettle.png"
TOOLS = (("weather", WEATHER), ("clock", CLOCK))
_CALLS = (
    Call("toolu_a1", "weather", {"city": 'Łódź "x"', "days": 2}),
    Call("toolu_b2", "clock", {}),
)


def _user(text: str, **more: str) -> Turn:
    return Turn("user", text, **more)  # type: ignore[arg-type]


def _conversation(mark: str) -> Asked:
    turns = (_user("One?"), Turn("assistant", "One."), _user(f"And zwei 🦉? {mark}"))
    return Asked(turns, system="You are terse.")


def _results(mark: str, failed: bool = False) -> Asked:
    results = (
        Result("toolu_a1", "weather", "sunny ☀", failed),
        Result("toolu_b2", "clock", "ten"),
    )
    turns = (
        _user(f"Weather and time? {mark}"),
        Turn("assistant", calls=_CALLS),
        Turn("user", results=results),
    )
    return Asked(turns, tools=TOOLS)


def _tools(mark: str, choice: str = "") -> Asked:
    return Asked((_user(f"Weather and time? {mark}"),), tools=TOOLS, choice=choice)


def _plain(mark: str) -> Asked:
    return Asked((_user(f"Say it. {mark}"),))


# --- what must have reached the upstream --------------------------------------------------------


def _saw_nothing_special(seen: Seen) -> bool:
    return seen.texts[-1][1].startswith("Say it.")


def _saw_conversation(seen: Seen) -> bool:
    roles = [role for role, _ in seen.texts]
    said = seen.texts[-1][1]
    return (
        seen.system == "You are terse."
        and roles == ["user", "assistant", "user"]
        and said.startswith("And zwei 🦉?")
    )


def _saw_results(seen: Seen) -> bool:
    texts = [text for text, _ in seen.results]
    called = [(call.name, call.arguments) for call in _CALLS]
    return texts == ["sunny ☀", "ten"] and seen.calls == called


def _saw_failure(seen: Seen) -> bool:
    return _saw_results(seen) and seen.results[0][1] and not seen.results[1][1]


def _saw_tools(choice: str) -> Callable[[Seen], bool]:
    allowed = ("", "auto") if choice == "auto" else (choice,)
    return lambda seen: seen.tools == ["weather", "clock"] and seen.choice in allowed


def _saw_schema(seen: Seen) -> bool:
    """Vendors differ in the schemas they take; names and types of the fields must be kept."""
    kinds = {k: str(v["type"]).lower() for k, v in (seen.schema or {})["properties"].items()}
    return kinds == {"pot": "string", "litres": "integer"}


@dataclass(frozen=True)
class Case:
    """`fuller` asks and looks for more than the scene's answer. `never` are clients that cannot ask
    it; `streams` is for cases that only a stream can have."""

    name: str
    scene: str
    asked: Callable[[str], Asked]
    saw: Callable[[Seen], bool] = _saw_nothing_special
    own_words: bool = False
    """The stand-in chooses the words: that there is an answer is all that is asked."""
    never: tuple[str, ...] = ()
    streams: bool = False
    twice: bool = False
    """The answer is handed back with what follows it: a question, or the results of its calls."""


CASES = (
    Case("text", "text", _plain),
    Case("unicode and escapes", "unicode", _plain),
    Case("empty answer", "empty", _plain),
    Case("system and several turns", "text", _conversation, _saw_conversation),
    Case(
        "image",
        "text",
        lambda mark: Asked((_user(f"What? {mark}", image=PNG),)),
        lambda seen: seen.images == [PNG],
    ),
    Case(
        "image by URL",
        "text",
        lambda mark: Asked((_user(f"What? {mark}", image_url=PICTURE_URL),)),
        lambda seen: seen.images == [PICTURE_URL],
    ),
    Case(
        "document",
        "text",
        lambda mark: Asked((_user(f"What? {mark}", document=PDF),)),
        lambda seen: seen.documents == [PDF],
    ),
    Case("tool call", "tool", _tools, _saw_tools("auto")),
    Case("parallel tool calls", "tools", _tools, _saw_tools("auto")),
    Case(
        "forced tool",
        "tool",
        lambda mark: _tools(mark, "weather"),
        _saw_tools("weather"),
        own_words=True,
    ),
    Case(
        "some tool required", "tools", lambda mark: _tools(mark, "required"), _saw_tools("required")
    ),
    Case("results of tools", "text", _results, _saw_results, own_words=True),
    Case(
        "result that is an error",
        "text",
        lambda mark: _results(mark, True),
        _saw_failure,
        own_words=True,
        never=("openai",),
    ),
    Case(
        "loop of calls and results",
        "tools",
        lambda mark: Asked((_user(f"Weather and time? {mark}"),), tools=TOOLS),
        lambda seen: [text for text, _ in seen.results] == ["sunny", "sunny"],
        own_words=True,
        twice=True,
    ),
    Case(
        "structured output",
        "json",
        lambda mark: Asked((_user(f"Cook. {mark}"),), schema=POT),
        _saw_schema,
        own_words=True,
    ),
    Case(
        "reasoning",
        "reasoning",
        lambda mark: Asked((_user(f"Think. {mark}"),), effort="low"),
        lambda seen: seen.thinks,
    ),
    Case(
        "reasoning handed back",
        "reasoning",
        lambda mark: Asked((_user(f"Think. {mark}"), _user(f"Again. {mark}")), effort="low"),
        lambda seen: seen.thoughts != [],
        twice=True,
    ),
    Case(
        "stop sequence",
        "text",
        lambda mark: Asked((_user(f"Say. {mark}"),), stop=("END",)),
        lambda seen: seen.stop == ["END"],
    ),
    Case(
        "temperature",
        "text",
        lambda mark: Asked((_user(f"Say. {mark}"),), temperature=0.5),
        lambda seen: seen.temperature == 0.5,
        never=("anthropic",),  # its SDK has no such argument any more
    ),
    Case(
        "bound of tokens",
        "length",
        lambda mark: Asked((_user(f"Say. {mark}"),), most=64),
        lambda seen: seen.most == 64,
    ),
    Case("refusal", "refused", _plain, own_words=True),
    Case("cached tokens", "cached", _plain),
    Case("error 400", "error_400", _plain),
    Case("error 401", "error_401", _plain),
    Case("error 429", "error_429", _plain),
    Case("error 500", "error_500", _plain),
    Case("error inside a stream", "late_error", _plain, streams=True),
    Case("stream cut off", "cut", _plain, streams=True),
)
