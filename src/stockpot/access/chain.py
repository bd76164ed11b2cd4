"""The hash chain of the audit log: each entry's hash covers the one before it. Knows no table.

Whoever alters, removes or inserts an entry has to compute every later hash anew, and the last one
is no longer what somebody noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

CHAINED = (
    "number", "id", "at_ms", "actor_id", "actor", "address", "action", "subject", "project",
    "before", "after", "detail",
)  # fmt: skip
"""What a hash covers, in this order. It never changes: old entries would no longer verify."""

Record = BaseModel | Mapping[str, Any] | None


def link(previous: str, entry: Mapping[str, Any]) -> str:
    """The hash of an entry that follows the one with the hash `previous`."""
    return _sha256([previous, *(entry[name] for name in CHAINED)])


def digest_of(record: Record) -> str:
    """What the log tells of a record's state; empty when there is none."""
    if record is None:
        return ""
    return _sha256(record.model_dump(mode="json") if isinstance(record, BaseModel) else record)


def problems(
    entries: Iterable[Mapping[str, Any]], previous: str = "", number: int = 0
) -> Iterator[tuple[int, str, str]]:
    """Number, hash and fault (empty when there is none) of each entry after `number`."""
    for entry in entries:
        found = link(previous, entry)
        fault = ""
        if entry["number"] != number + 1:
            fault = f"entry {number + 1} is missing: {entry['number']} follows {number}"
        elif entry["hash"] != found:
            fault = f"entry {entry['number']} ({entry['id']}) or its hash was altered"
        number, previous = entry["number"], entry["hash"]
        yield number, previous, fault


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
