"""Whether a row is in a slice. Knows conditions and rows; knows no store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stockpot.datasets.content import at_path, text_of
from stockpot.datasets.models import Condition, DatasetRow


def holds(row: DatasetRow, conditions: Iterable[Condition]) -> bool:
    """Whether a row meets all conditions."""
    told: Mapping[str, Any] = {
        "id": row.id, "split": row.split, "input": row.input, "expected": row.expected,
        "metadata": row.metadata,
    }  # fmt: skip
    return all(_meets(told, condition) for condition in conditions)


def _meets(told: Mapping[str, Any], condition: Condition) -> bool:
    there, value = at_path(told, condition.field)
    if condition.op == "exists":
        return there == (condition.value is not False)
    if not there:
        return condition.op == "ne"
    return _TESTS[condition.op](value, condition.value)


def _order(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(value: Any, other: Any) -> bool:
        numbers = all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in (value, other)
        )
        texts = isinstance(value, str) and isinstance(other, str)
        return (numbers or texts) and test(value, other)

    return compared


def _contains(value: Any, other: Any) -> bool:
    if isinstance(value, list | tuple):
        return other in value
    return str(other).casefold() in text_of(value).casefold()


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: value == other,
    "ne": lambda value, other: value != other,
    "in": lambda value, other: isinstance(other, list) and value in other,
    "contains": _contains,
    "lt": _order(lambda value, other: value < other),
    "le": _order(lambda value, other: value <= other),
    "gt": _order(lambda value, other: value > other),
    "ge": _order(lambda value, other: value >= other),
}
