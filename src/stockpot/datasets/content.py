"""What a row says, as bytes that do not depend on who wrote them, and what is told by those: the
row's hash, its id, a version's hash, a split. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from stockpot.datasets.models import NewRow

MOST_BYTES = 512 << 10
"""Of one row."""


def canonical(value: object) -> str:
    """JSON with sorted members and nothing beside ASCII: NUL and lone surrogates stay escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def body_of(row: NewRow) -> str:
    """All that a row says but its id."""
    return canonical(row.model_dump(mode="json", exclude={"id"}))


def hash_of(text: str) -> str:
    """SHA-256 in hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(row: NewRow) -> str:
    """The id of a row that was given none: the same input and expected answer have the same."""
    return f"row_{hash_of(canonical([row.input, row.expected]))[:20]}"


def version_hash(rows: Iterable[tuple[str, str]]) -> str:
    """The hash of a version out of the ids and hashes of its rows, in whatever order."""
    return hash_of("\n".join(f"{ident} {digest}" for ident, digest in sorted(rows)))


def split_of(told: str, shares: Mapping[str, float], seed: str) -> str:
    """The split that a row's words fall into. A row keeps it whatever rows come or go."""
    draw = int(hash_of(f"{seed}\0{told}")[:13], 16) / 16**13
    reached = 0.0
    for name, share in sorted(shares.items()):
        reached += share
        if draw < reached:
            return name
    return max(shares)


def at_path(row: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Whether there is something at a path such as `input.messages.0.content`, and what."""
    value: Any = row
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False, None
    return True, value


def text_of(value: object) -> str:
    """The words of an input: every string in it, in order."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "\n".join(filter(None, (text_of(value[name]) for name in sorted(value))))
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(text_of, value)))
    return "" if value is None or isinstance(value, bool) else str(value)
