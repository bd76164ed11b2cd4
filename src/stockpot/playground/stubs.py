"""What a recorded trace knows of its tools, and a conversation that goes on with it.

Knows messages in OpenAI's form; knows no span log and no gateway. Pure.

A later step of an agent holds what was said before: the messages of an earlier step, the answer to
them, and the results of the tools that it called. Where the model says something else now, the
recorded answer in it is replaced, and each tool call gets the recorded result of the same call.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from stockpot.playground.answers import message_of
from stockpot.playground.models import Answer, Called, Said, Stubbed

Message = dict[str, Any]


class NotReached(Exception):
    """The conversation does not come to this step any more; says why."""


class Turned(NamedTuple):
    """A step that was run: as recorded, as sent now, and both answers."""

    recorded: list[Message]
    sent: list[Message]
    before: Answer
    after: Answer


class Results:
    """Every recorded result of a tool, by name and arguments."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}
        self._found: dict[str, Stubbed] = {}

    def read(self, messages: list[Message]) -> None:
        """Take in what these messages tell of tools."""
        calls = {
            call.get("id"): call.get("function") or {}
            for message in messages
            for call in message.get("tool_calls") or ()
        }
        for message in messages:
            ident = message.get("tool_call_id")
            if message.get("role") == "tool" and isinstance(ident, str) and ident in calls:
                function = calls[ident]
                self.add(function.get("name") or "", function.get("arguments") or "",
                         message.get("content"), ident)  # fmt: skip

    def know(self, name: str, arguments: str, result: Any) -> None:
        """What a call returned; the first of several alike is kept."""
        self._known.setdefault((name, _same(arguments)), result)

    def add(self, name: str, arguments: str, result: Any, ident: str) -> None:
        """One call of a conversation, and what it returned."""
        self.know(name, arguments, result)
        self._found.setdefault(ident, Stubbed(kind="tool", name=name, id=ident))

    def of(self, call: Called) -> Any:
        """The recorded result of a call. Raises NotReached where there is none."""
        known = self._known.get((call.name, _same(call.arguments)))
        if known is None:
            near = [arguments for name, arguments in self._known if name == call.name]
            told = f"it was called with {' and '.join(near[:3])}" if near else "it was never called"
            raise NotReached(
                f"the model calls {call.name}({call.arguments}) now, and no result of that was "
                f"recorded: {told}"
            )
        return known

    def found(self) -> tuple[Stubbed, ...]:
        return tuple(self._found.values())


def going_on(messages: list[Message], turned: list[Turned], results: Results) -> list[Message]:
    """The messages of a step, with what the model says now in the place of what it said then.
    Raises NotReached where a tool call has no recorded result, or none is made any more."""
    before = next((one for one in reversed(turned) if _continues(messages, one)), None)
    if before is None:
        return messages
    at = len(before.recorded)
    rest = messages[at + 1 :]
    said, now = before.before.choices[0], before.after.choices[0]
    if not said.tool_calls and not now.tool_calls:
        return [*before.sent, _answer(messages[at], said, now), *rest]
    if said.tool_calls and not now.tool_calls:
        names = ", ".join(call.name for call in said.tool_calls)
        raise NotReached(f"the model does not call {names} any more, it answers instead")
    stubs = [
        {"role": "tool", "tool_call_id": call.id, "content": results.of(call)}
        for call in now.tool_calls
    ]
    while rest and rest[0].get("role") == "tool":
        rest = rest[1:]
    return [*before.sent, _answer(messages[at], said, now), *stubs, *rest]


def _answer(recorded: Message, said: Said, now: Said) -> Message:
    """The recorded message where the answer is the same, so that not a byte of it changes."""
    same = _told(said) == _told(now)
    ids = [call.id for call in said.tool_calls] == [call.id for call in now.tool_calls]
    return recorded if same and ids else message_of(now)


def _continues(messages: list[Message], one: Turned) -> bool:
    """Whether a step begins with an earlier one and its recorded answer."""
    at = len(one.recorded)
    if len(messages) <= at or messages[:at] != one.recorded:
        return False
    if len(one.before.choices) != 1 or len(one.after.choices) != 1:
        return False
    said, told = one.before.choices[0], messages[at]
    calls = [
        ((call.get("function") or {}).get("name"), (call.get("function") or {}).get("arguments"))
        for call in told.get("tool_calls") or ()
    ]
    return (
        told.get("role") == "assistant"
        and _plain(told.get("content")) == (said.text or said.refusal)
        and calls == [(call.name, call.arguments) for call in said.tool_calls]
    )


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text") or "" for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _told(said: Said) -> tuple[object, ...]:
    return (said.text, said.refusal, [(call.name, call.arguments) for call in said.tool_calls])


def _same(arguments: str) -> str:
    """Arguments by their meaning, not by their spaces."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return arguments.strip()
