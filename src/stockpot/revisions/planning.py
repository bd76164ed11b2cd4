"""From what somebody wants to what would change, and what stands against it. Knows no table.

A section that is not given stays as it is. A pointer that was moved at run time, a definition that
was changed since the file's base, and a safety rollback are conflicts, each with its way out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from stockpot.core.config import SETTINGS
from stockpot.core.errors import Conflict as Refused
from stockpot.core.errors import InvalidInput
from stockpot.revisions.difference import Content, Path, at
from stockpot.revisions.keeper import Keeper
from stockpot.revisions.models import LARGEST, Change, Conflict, Move, Rehearsal, Wanted
from stockpot.revisions.toml_text import Faults, parsed

_OVERRULE = "--overrule"


class Conflicting(Refused):
    """An apply that would undo what others did meanwhile."""

    code, status = "conflicts", 409


def read(wanted: Wanted, keeper: Keeper) -> tuple[Content, int]:
    """The sections that are given, and the base that the text tells (0: none)."""
    if (wanted.toml is None) == (wanted.definitions is None):
        raise InvalidInput("give toml or definitions, one of the two")
    raw = parsed(wanted.toml) if wanted.toml is not None else dict(wanted.definitions or {})
    faults = Faults(wanted.toml)
    base = raw.pop("base", 0)
    if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base <= LARGEST:
        raise InvalidInput(f"base is the number of a revision, not {base!r}")
    settings = raw.pop("settings", {})
    known = [row.name for row in SETTINGS]
    for name in settings if isinstance(settings, Mapping) else ():
        if name not in known:
            raise faults.unknown(("settings", name), known)
    for name in raw:
        if name not in keeper.sections:
            raise faults.unknown((name,), [*keeper.sections, "settings", "base"])
    try:
        return keeper.read(raw), base
    except ValidationError as wrong:
        raise faults.explain(wrong, keeper.model) from None


def merged(given: Content, present: Content, *, partial: bool) -> Content:
    """The state that is wanted in all: what is not spoken of stays."""
    made = dict(present)
    for section, entries in given.items():
        made[section] = {**present.get(section, {}), **entries} if partial else dict(entries)
    return {section: entries for section, entries in made.items() if entries}


def conflicts(
    changes: Collection[Change],
    present: Content,
    target: Content,
    standing: Mapping[Path, Move],
    since: Iterable[Change],
    held: Mapping[str, Collection[Change]],
) -> tuple[Conflict, ...]:
    """What stands against changes: moved pointers, definitions changed `since` the base, holds."""
    found = [
        Conflict(
            name=move.pointer,
            kind="pointer",
            present=at(present, path),
            wanted=at(target, path),
            message=f"{move.pointer} was moved by {move.actor}"
            + (f": {move.reason}" if move.reason else ""),
            way_out=f"{_OVERRULE} {move.pointer}",
        )
        for path, move in standing.items()
        if at(present, path) != at(target, path)
    ]
    told = {conflict.name for conflict in found}
    touched = {change.path: change for change in changes}
    for other in since:
        mine = touched.get(other.path) or touched.get(other.path[:2])
        if mine is not None and mine.name not in told:
            told.add(mine.name)
            found.append(_changed(mine, at(present, mine.path), at(target, mine.path)))
    for name, again in held.items():
        names = ", ".join(change.name for change in again)
        found.append(
            Conflict(
                name=name,
                kind="safety",
                present="rolled back",
                wanted=names,
                message=f"{names} was rolled back for safety ({name})",
                way_out=f"--lift {name}",
            )
        )
    return tuple(found)


def _changed(change: Change, present: Any, wanted: Any) -> Conflict:
    return Conflict(
        name=change.name,
        kind="definition",
        present=present,
        wanted=wanted,
        message=f"{change.name} was changed since this file's base",
        way_out=f"{_OVERRULE} {change.name}",
    )


def refuse_unsettled(
    found: Iterable[Conflict], overrule: Collection[str], lift: Collection[str]
) -> None:
    """Raises Conflicting unless every conflict is named by whoever applies."""
    left = [c for c in found if not _settled(c, overrule, lift)]
    if left:
        told = "\n".join(f"{c.message}  ({c.way_out})" for c in left)
        raise Conflicting(told, hint="name each to go on: " + " ".join(c.way_out for c in left))


def _settled(conflict: Conflict, overrule: Collection[str], lift: Collection[str]) -> bool:
    if conflict.kind == "safety":
        return conflict.name in lift
    return any(conflict.name == name or conflict.name.startswith(f"{name}.") for name in overrule)


_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_LONGEST = 160


def text_of(
    changes: Collection[Change],
    conflicts: Collection[Conflict] = (),
    notes: Collection[str] = (),
    rehearsal: Rehearsal | None = None,
) -> str:
    """A plan for the terminal, without colours."""
    lines = [line for change in changes for line in _lines(change)]
    if not changes:
        lines.append("nothing would change")
    lines += [f"! conflict: {c.message}  ({c.way_out})" for c in conflicts]
    lines += [f"note: {note}" for note in notes]
    if rehearsal is not None:
        lines.append(rehearsal.sentence)
        lines += [f"  {s.calls} calls of {s.route}: {s.before} -> {s.after}"
                  for s in rehearsal.shifts]  # fmt: skip
        if rehearsal.calls and changes:
            lines += ["it cannot know:", *(f"  {told}" for told in rehearsal.unknown)]
    return "\n".join(lines)


def _lines(change: Change) -> Iterable[str]:
    sign = _SIGNS[change.kind]
    if change.kind == "change":
        yield f"{sign} {change.name}: {_short(change.before)} -> {_short(change.after)}"
        return
    yield f"{sign} {change.name}"
    for field, value in (change.after or {}).items():
        yield f"    {field} = {_short(value)}"


def _short(value: Any) -> str:
    if value is None:
        return "(default)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
