"""Tool calls against what is accepted, by the rules of the Berkeley Function Calling Leaderboard.

Its AST rules (Patil et al. 2025, ICML, "The Berkeley Function Calling Leaderboard"): the function's
name, every required argument, no argument that is not expected, types of the schema (an integer
may stand for a float), and a value among those that are accepted. Texts are compared without case,
spaces and the marks , . / - _ * ^. An argument may be left out where "" is among its values.
Several calls match in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from stockpot.evals.scorers.base import Call, Case, Scorer

Accepted = Mapping[str, Mapping[str, Sequence[Any]]]
_MARKS = re.compile(r"[ ,./\-_*^]")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "float": (float, int), "number": (float, int),
    "boolean": (bool,), "array": (list, tuple), "tuple": (list, tuple), "dict": (dict,),
    "object": (dict,), "any": (object,),
}  # fmt: skip


class ToolCalls(Scorer):
    """The calls are those that are accepted: `expected` lists `{function: {argument: [values]}}` as
    in bfcl, or `{name, arguments}` with one value each. No call is expected where the list is
    empty."""

    name, returns = "tool_calls", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {
        "tools": "path into the input where the tools' schemas stand (`tools`)"
    }

    def score(self, case: Case) -> tuple[bool, str]:
        wanted = [_accepted(one) for one in self.wanted(case) or ()]
        return match(list(case.calls), wanted, _schemas(case.input, self.options.get("tools")))


def match(
    calls: Sequence[Call], wanted: Sequence[Accepted], schemas: Mapping[str, Any]
) -> tuple[bool, str]:
    """Whether calls are the accepted ones, in any order, and what stands against it."""
    if len(calls) != len(wanted):
        return False, f"{len(calls)} calls where {len(wanted)} are expected"
    free = list(calls)
    for accepted in wanted:
        faults = [(call, _fault(call, accepted, schemas)) for call in free]
        fitting = next((call for call, fault in faults if not fault), None)
        if fitting is None:
            named = [fault for call, fault in faults if call.name in accepted]
            return False, (named or [fault for _, fault in faults])[0]
        free.remove(fitting)
    return True, ""


def _fault(call: Call, accepted: Accepted, schemas: Mapping[str, Any]) -> str:
    ((name, values),) = accepted.items()
    if call.name != name and call.name != name.replace(".", "_"):
        return f"{call.name!r} is called, not {name!r}"
    schema = schemas.get(name, {})
    properties = schema.get("properties", {})
    for argument in schema.get("required", ()):
        if argument not in call.arguments:
            return f"{name}: the argument {argument!r} is missing"
    for argument, value in call.arguments.items():
        if argument not in values or (properties and argument not in properties):
            return f"{name}: the argument {argument!r} is not expected"
        if fault := _of_argument(value, values[argument], properties.get(argument, {})):
            return f"{name}: {argument} {fault}"
    for argument, allowed in values.items():
        if argument not in call.arguments and "" not in allowed:
            return f"{name}: the argument {argument!r} is missing"
    return ""


def _of_argument(value: Any, allowed: Sequence[Any], schema: Mapping[str, Any]) -> str:
    types = _TYPES.get(str(schema.get("type", "any")), (object,))
    wrong_bool = isinstance(value, bool) and bool not in types and object not in types
    # A value of another type is right where the accepted ones have it too: a variable's name.
    as_accepted = any(type(value) is type(one) for one in allowed if one != "")
    if (wrong_bool or not isinstance(value, types)) and not as_accepted:
        return f"is {value!r}, which is not of type {schema.get('type')}"
    if any(_same(value, one) for one in allowed):
        return ""
    return f"is {value!r}, not one of {list(allowed)!r}"


def _same(value: Any, accepted: Any) -> bool:
    if isinstance(value, str) and isinstance(accepted, str):
        return _plain(value) == _plain(accepted)
    if isinstance(value, dict) and isinstance(accepted, dict):
        return _same_object(value, accepted)
    if isinstance(value, (list, tuple)) and isinstance(accepted, (list, tuple)):
        return len(value) == len(accepted) and all(map(_same, value, accepted))
    if isinstance(value, bool) or isinstance(accepted, bool):
        return value is accepted
    return bool(value == accepted)


def _same_object(value: dict[str, Any], accepted: dict[str, Any]) -> bool:
    """Inside an object each member has a list of values that are accepted."""
    if any(name not in accepted for name in value):
        return False
    for name, allowed in accepted.items():
        several = allowed if isinstance(allowed, list) else [allowed]
        if name not in value:
            if "" not in several:
                return False
        elif not any(_same(value[name], one) for one in several):
            return False
    return True


def _plain(text: str) -> str:
    return _MARKS.sub("", text).lower().replace("'", '"')


def _accepted(wanted: Mapping[str, Any]) -> Accepted:
    if "name" in wanted and "arguments" in wanted:
        return {wanted["name"]: {k: [v] for k, v in wanted["arguments"].items()}}
    return wanted


def _schemas(given: Any, path: Any) -> dict[str, Any]:
    """The parameters of each tool by its name; tools stand as OpenAI or as bfcl writes them."""
    place = str(path or "tools")
    tools = given.get(place) or given.get("function") if isinstance(given, dict) else None
    found = {}
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function", tool)
        found[function.get("name", "")] = function.get("parameters", {})
    return found
