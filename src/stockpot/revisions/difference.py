"""Comparing two states of the definitions, and carrying a change from one onto another. Pure.

A state is plain JSON data: section, name, field. What equals its default is left out, so a field
that a later version adds changes no state that is already written down.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from stockpot.revisions.models import Change

Fields = dict[str, Any]
Content = dict[str, dict[str, Fields]]
Path = tuple[str, ...]
"""(section, name) of an entry, or (section, name, field)."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def digest_of(content: Content) -> str:
    """The same for the same state, however it came about."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def path_text(path: Path) -> str:
    """A path as TOML would write it: `aliases.fast.targets`, `aliases."team/fast".targets`."""
    return ".".join(part if _BARE.fullmatch(part) else json.dumps(part) for part in path)


def at(content: Mapping[str, Any], path: Path) -> Any:
    """What a path holds, or None."""
    found: Any = content
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def difference(before: Content, after: Content) -> tuple[Change, ...]:
    """What turns one state into the other: whole entries that come and go, single fields that
    change; in the order of their paths."""
    changes: list[Change] = []
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section, {}), after.get(section, {})
        for name in sorted(old.keys() | new.keys()):
            path = (section, name)
            if name not in new:
                changes.append(_change(path, "remove", old[name], None))
            elif name not in old:
                changes.append(_change(path, "add", None, new[name]))
            else:
                changes += _fields(path, old[name], new[name])
    return tuple(changes)


def _fields(path: Path, old: Fields, new: Fields) -> Iterable[Change]:
    for field in sorted(old.keys() | new.keys()):
        if old.get(field) != new.get(field):
            yield _change((*path, field), "change", old.get(field), new.get(field))


def _change(path: Path, kind: Any, before: Any, after: Any) -> Change:
    return Change(path=path, name=path_text(path), kind=kind, before=before, after=after)


def patched(content: Content, changes: Iterable[Change]) -> Content:
    """The state with changes that were found against another one: what they do not name stays."""
    made = deepcopy(content)
    for change in changes:
        section, name, *field = change.path
        entries = made.setdefault(section, {})
        if change.kind == "remove":
            entries.pop(name, None)
        elif change.kind == "add":
            entries[name] = deepcopy(change.after)
        elif name in entries and change.after is None:
            entries[name].pop(field[0], None)
        elif name in entries:
            entries[name][field[0]] = deepcopy(change.after)
        if not entries:
            del made[section]
    return made


def replaced(content: Content, path: Path, value: Any) -> Content:
    """The state with one field set, or put back to its default by None."""
    changed = Change(path=path, name=path_text(path), kind="change", before=None, after=value)
    return patched(content, (changed,))
