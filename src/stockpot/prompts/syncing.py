"""Prompts as code: a folder of files and the prompts of a project, kept the same in both ways.

What both sides agreed on last is in the folder's lock file: the version, and a digest of the file's
text. From these three it follows who changed what; where both did, it is a conflict, which is shown
and never overwritten. Knows files and states; how prompts are fetched and made is a `Remote`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from stockpot.core.errors import InvalidInput
from stockpot.prompts.files import ENDING, FileFault, PromptFile, check, parse, write
from stockpot.prompts.models import NAME

LOCK = "prompts.lock.json"
State = Literal["same", "changed here", "changed there", "new here", "new there",
                "conflict", "deleted here", "deleted there"]  # fmt: skip


class There(NamedTuple):
    """A prompt as the instance has it: its newest version, its folder and its file's text."""

    version: int
    folder: str
    text: str


class Here(NamedTuple):
    """A file, its text as it would be written, and the partials that it names."""

    path: Path
    folder: str
    file: PromptFile
    text: str
    refs: tuple[str, ...]


class Base(NamedTuple):
    """What both sides agreed on."""

    version: int
    digest: str


class Status(NamedTuple):
    """One prompt on both sides."""

    name: str
    state: State
    here: Here | None
    there: There | None
    base: Base | None

    def diff(self) -> str:
        """From what is there to what is here."""
        there = self.there.text if self.there else ""
        here = self.here.text if self.here else ""
        lines = difflib.unified_diff(
            there.splitlines(keepends=True),
            here.splitlines(keepends=True),
            f"{self.name}@{self.there.version}" if self.there else "/dev/null",
            str(self.here.path) if self.here else "/dev/null",
        )
        return "".join(lines)


class Remote(Protocol):
    """The prompts of one project."""

    def all(self) -> Mapping[str, There]: ...

    def put(self, name: str, here: Here, there: There | None, message: str) -> There:
        """Make what is here the newest version. Raises Conflict when somebody was faster."""
        ...


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Folder:
    """A folder of prompts and its lock file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[FileFault] = []

    def base(self) -> dict[str, Base]:
        """What the lock file says; empty without one."""
        path = self.root / LOCK
        try:
            told = json.loads(path.read_text("utf-8"))
            return {name: Base(row["version"], row["digest"]) for name, row in told.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput(
                f"{path} is no lock file", hint="take it out of git again, or delete it and pull"
            ) from None

    def agree(self, agreed: Mapping[str, Base]) -> None:
        """Write the lock file, one line a prompt, so that git merges it."""
        rows = [
            f"  {json.dumps(name)}: {json.dumps(agreed[name]._asdict())}" for name in sorted(agreed)
        ]
        text = "{\n" + ",\n".join(rows) + "\n}\n" if rows else "{}\n"
        path = self.root / LOCK
        if not path.exists() or path.read_text("utf-8") != text:
            self.root.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_text(text, "utf-8")
            draft.replace(path)

    def read(self) -> dict[str, Here]:
        """Every prompt of the folder by name. What cannot be read is in `faults`."""
        self.faults = []
        found: dict[str, Here] = {}
        for path in sorted(self.root.rglob(f"*{ENDING}")):
            name = path.name.removesuffix(ENDING)
            shown = str(path)
            try:
                if not re.fullmatch(NAME, name):
                    raise FileFault(shown, 1, f"{name!r} is no name of a prompt")
                if name in found:
                    raise FileFault(shown, 1, f"{name!r} is also at {found[name].path}")
                file = parse(path.read_bytes().decode("utf-8"), shown)
                refs = check(file, shown)
            except UnicodeDecodeError:
                self.faults.append(FileFault(shown, 1, "the file is not UTF-8"))
            except FileFault as fault:
                self.faults.append(fault)
            else:
                folder = path.parent.relative_to(self.root).as_posix()
                folder = "" if folder == "." else folder
                found[name] = Here(path, folder, file, write(file), refs)
        return found

    def write(self, name: str, there: There, before: Here | None) -> Path:
        """Put what is there into a file; one that says the same already keeps its bytes."""
        path = self.root / there.folder / f"{name}{ENDING}"
        if before is not None and before.path != path:
            before.path.unlink()
        elif before is not None and before.text == there.text:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(there.text.encode())
        return path


def compare(
    here: Mapping[str, Here], there: Mapping[str, There], base: Mapping[str, Base]
) -> list[Status]:
    """Both sides, by name."""
    names = sorted({*here, *there, *base})
    found = (
        Status(n, _state(here.get(n), there.get(n), base.get(n)), here.get(n), there.get(n),
               base.get(n))
        for n in names
    )  # fmt: skip
    return [status for status in found if status.here or status.there]


def _state(here: Here | None, there: There | None, base: Base | None) -> State:
    if here is not None and there is not None:
        if (here.text, here.folder) == (there.text, there.folder):
            return "same"
        if base is None:
            return "conflict"
        mine = _marked(here.text, here.folder) != base.digest
        theirs = _marked(there.text, there.folder) != base.digest
        return "conflict" if mine and theirs else "changed here" if mine else "changed there"
    if here is not None:
        if base is None:
            return "new here"
        return "deleted there" if _marked(here.text, here.folder) == base.digest else "conflict"
    assert there is not None
    if base is None:
        return "new there"
    return "deleted here" if _marked(there.text, there.folder) == base.digest else "conflict"


def _marked(text: str, folder: str) -> str:
    return digest(f"{folder}\n{text}")


def agreed(there: There) -> Base:
    """What the lock file notes of a prompt that is the same on both sides."""
    return Base(there.version, _marked(there.text, there.folder))


def pull(
    folder: Folder, remote: Remote, take: Iterable[str] = ()
) -> tuple[list[Status], list[Status]]:
    """Bring what changed there into files. `take` names conflicts in which theirs is taken.
    Returns what was written, and what stands in the way."""
    taken = set(take)
    here, base = folder.read(), folder.base()
    now = dict(base)
    written, standing = [], []
    for status in compare(here, remote.all(), base):
        there = status.there
        if there is None:
            if status.state in ("conflict", "deleted there"):
                standing.append(status)
            continue
        if _unreadable(folder, status.name):
            continue  # the caller shows its fault; nothing is agreed on until somebody mends it
        wanted = status.state in ("changed there", "new there") or status.name in taken
        if wanted:
            folder.write(status.name, there, status.here)
            written.append(status)
        if wanted or status.state == "same":
            now[status.name] = agreed(there)
        elif status.state in ("conflict", "deleted here"):
            standing.append(status)
    folder.agree(now)
    return written, standing


def _unreadable(folder: Folder, name: str) -> bool:
    """A file that cannot be read is somebody's work all the same."""
    return any(Path(fault.path).name == f"{name}{ENDING}" for fault in folder.faults)


def push(
    folder: Folder, remote: Remote, message: str, keep: Iterable[str] = ()
) -> tuple[list[Status], list[Status]]:
    """Make what changed here new versions. `keep` names conflicts in which ours is kept.
    Returns what was made, and what stands in the way."""
    kept = set(keep)
    here, base = folder.read(), folder.base()
    if folder.faults:
        raise folder.faults[0]
    now = dict(base)
    made, standing = [], []
    for status in _partials_first(compare(here, remote.all(), base)):
        mine = status.here
        wanted = status.state in ("changed here", "new here") or status.name in kept
        if mine is not None and wanted:
            there = remote.put(status.name, mine, status.there, message)
            made.append(status._replace(there=there))
            now[status.name] = agreed(there)
        elif status.state == "same" and status.there is not None:
            now[status.name] = agreed(status.there)
        elif status.state in ("conflict", "deleted here", "deleted there"):
            standing.append(status)
        folder.agree(now)
    return made, standing


def _partials_first(statuses: list[Status]) -> list[Status]:
    """In an order in which whoever is included comes before who includes it."""
    by_name = {status.name: status for status in statuses}
    ordered: dict[str, Status] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        status = by_name.get(name)
        if status is None or name in ordered or name in above:
            return
        for ref in status.here.refs if status.here else ():
            visit(ref.partition("@")[0], above | {name})
        ordered[name] = status

    for name in by_name:
        visit(name, frozenset())
    return list(ordered.values())
