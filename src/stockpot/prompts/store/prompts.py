"""Prompts, their versions and their comments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.prompts.models import (
    PromptComment,
    PromptFilter,
    PromptLabel,
    PromptSummary,
    PromptVersion,
)
from stockpot.prompts.store.tables import comments, labels, prompts, versions

_SHOWN = (
    "id", "project", "name", "kind", "description", "folder", "owner", "created_ms", "created_by",
    "changed_ms",
)  # fmt: skip


class VersionRow(NamedTuple):
    """A version with what is kept of its content: the content itself, its pins and its partials."""

    shown: PromptVersion
    content: dict[str, Any]


def list_prompts(
    c: sa.Connection, where: PromptFilter, seen: frozenset[str] | None
) -> tuple[PromptSummary, ...]:
    """Prompts by project and name, of the projects that are seen (None is all)."""
    query = sa.select(prompts).order_by(prompts.c.project, prompts.c.name)
    query = query.where(prompts.c.archived_ms > 0 if where.archived else prompts.c.archived_ms == 0)
    if seen is not None:
        query = query.where(prompts.c.project.in_(seen))
    for column, value in (("project", where.project), ("owner", where.owner)):
        if value is not None:
            query = query.where(prompts.c[column] == value)
    if where.folder is not None:
        below = prompts.c.folder.startswith(f"{where.folder}/", autoescape=True)
        query = query.where((prompts.c.folder == where.folder) | below)
    for word in (where.q or "").lower().split()[:20]:
        query = query.where(prompts.c.search.contains(word, autoescape=True))
    rows = [row for row in c.execute(query).mappings() if where.tag in (None, *row["tags"])]
    return _summaries(c, rows)


def words_of(c: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """What a search looks through, by the ids of prompts."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        query = sa.select(prompts.c.id, prompts.c.search)
        rows = c.execute(query.where(prompts.c.id.in_(ids[start : start + 500])))
        found |= {row[0]: row[1] for row in rows}
    return found


def prompt_named(c: sa.Connection, project: str, name: str) -> PromptSummary | None:
    """One prompt of a project, archived or not."""
    same = (prompts.c.project == project) & (prompts.c.name == name)
    found = _summaries(c, list(c.execute(sa.select(prompts).where(same)).mappings()))
    return found[0] if found else None


def prompts_called(c: sa.Connection, name: str) -> tuple[PromptSummary, ...]:
    """The prompts of this name, in whatever project."""
    rows = c.execute(sa.select(prompts).where(prompts.c.name == name)).mappings()
    return _summaries(c, list(rows))


def prompt_by_id(c: sa.Connection, prompt_id: str) -> PromptSummary | None:
    rows = c.execute(sa.select(prompts).where(prompts.c.id == prompt_id)).mappings()
    found = _summaries(c, list(rows))
    return found[0] if found else None


def prompt_names(c: sa.Connection, project: str) -> tuple[str, ...]:
    """The names of a project's prompts."""
    query = sa.select(prompts.c.name).where(prompts.c.project == project)
    return tuple(c.scalars(query.order_by(prompts.c.name)))


def _summaries(c: sa.Connection, rows: list[Any]) -> tuple[PromptSummary, ...]:
    if not rows:
        return ()
    ids = [row["id"] for row in rows]
    newest = sa.select(versions.c.prompt_id, sa.func.max(versions.c.number))
    newest = newest.where(_among(versions.c.prompt_id, ids)).group_by(versions.c.prompt_id)
    latest: dict[str, int] = {row[0]: row[1] for row in c.execute(newest)}
    moved: dict[str, list[PromptLabel]] = defaultdict(list)
    found = sa.select(labels).where(_among(labels.c.prompt_id, ids)).order_by(labels.c.label)
    for row in c.execute(found).mappings():
        moved[row["prompt_id"]].append(label_of(row))
    return tuple(
        PromptSummary(
            **{name: row[name] for name in _SHOWN},
            tags=tuple(row["tags"]),
            latest=latest.get(row["id"], 0),
            labels=tuple(moved[row["id"]]),
            archived=row["archived_ms"] > 0,
        )
        for row in rows
    )


def _among(column: sa.Column[Any], ids: list[str]) -> sa.ColumnElement[bool]:
    """Many ids would be too many parameters: then all rows are read."""
    return column.in_(ids) if len(ids) <= 500 else sa.true()


def label_of(row: Any) -> PromptLabel:
    return PromptLabel(
        label=row["label"],
        version=row["number"],
        moved_ms=row["moved_ms"],
        moved_by=row["moved_by"],
    )


def add_prompt(c: sa.Connection, **values: Any) -> None:
    c.execute(sa.insert(prompts).values(**values))


def change_prompt(c: sa.Connection, prompt_id: str, **values: Any) -> None:
    """Set columns of a prompt."""
    c.execute(sa.update(prompts).where(prompts.c.id == prompt_id).values(**values))


# --- versions -----------------------------------------------------------------------------------


def add_version(c: sa.Connection, **values: Any) -> None:
    c.execute(sa.insert(versions).values(**values))


def list_versions(
    c: sa.Connection, prompt_id: str, limit: int, before: int | None = None
) -> tuple[PromptVersion, ...]:
    """Versions, newest first, older than `before`."""
    columns = [column for column in versions.c if column.name != "content"]
    query = sa.select(*columns).where(versions.c.prompt_id == prompt_id)
    if before is not None:
        query = query.where(versions.c.number < before)
    rows = c.execute(query.order_by(versions.c.number.desc()).limit(limit)).mappings()
    known = labels_by_number(c, prompt_id)
    return tuple(_version(row, known) for row in rows)


def version_numbered(c: sa.Connection, prompt_id: str, number: int) -> VersionRow | None:
    """One version with its content."""
    same = (versions.c.prompt_id == prompt_id) & (versions.c.number == number)
    row = c.execute(sa.select(versions).where(same)).mappings().first()
    if row is None:
        return None
    return VersionRow(_version(row, labels_by_number(c, prompt_id)), row["content"])


def labels_by_number(c: sa.Connection, prompt_id: str) -> dict[int, list[str]]:
    """The labels at each version of a prompt."""
    found: dict[int, list[str]] = defaultdict(list)
    query = sa.select(labels.c.number, labels.c.label).where(labels.c.prompt_id == prompt_id)
    for number, label in c.execute(query.order_by(labels.c.label)):
        found[number].append(label)
    return found


def _version(row: Any, known: dict[int, list[str]]) -> PromptVersion:
    named = ("number", "parent", "content_hash", "message", "author", "created_ms")
    return PromptVersion(
        **{name: row[name] for name in named}, labels=tuple(known.get(row["number"], ()))
    )


def served_versions(
    c: sa.Connection, prompt_ids: Iterable[str], newest: int
) -> list[tuple[str, int, str, dict[str, Any]]]:
    """(prompt id, number, hash, content) of versions that have a label or are among the newest."""
    ranked = sa.select(
        versions.c.prompt_id,
        versions.c.number,
        versions.c.content_hash,
        versions.c.content,
        sa.func.row_number()
        .over(partition_by=versions.c.prompt_id, order_by=versions.c.number.desc())
        .label("place"),
    ).subquery()
    labelled = sa.exists().where(
        labels.c.prompt_id == ranked.c.prompt_id, labels.c.number == ranked.c.number
    )
    query = sa.select(ranked).where((ranked.c.place <= newest) | labelled)
    wanted = set(prompt_ids)
    rows = c.execute(query.order_by(ranked.c.prompt_id, ranked.c.number))
    return [(i, number, digest, content) for i, number, digest, content, _ in rows if i in wanted]


# --- comments -----------------------------------------------------------------------------------


def add_comment(c: sa.Connection, prompt_id: str, comment: PromptComment) -> None:
    values = comment.model_dump()
    values["number"] = values.pop("version")
    c.execute(sa.insert(comments).values(prompt_id=prompt_id, **values))


def list_comments(c: sa.Connection, prompt_id: str) -> tuple[PromptComment, ...]:
    """Comments on a prompt and its versions, oldest first."""
    query = sa.select(comments).where(comments.c.prompt_id == prompt_id).order_by(comments.c.id)
    return tuple(
        PromptComment(
            version=row["number"],
            **{n: row[n] for n in ("id", "author_id", "author", "text", "created_ms")},
        )
        for row in c.execute(query).mappings()
    )


def remove_comment(c: sa.Connection, comment_id: str) -> None:
    c.execute(sa.delete(comments).where(comments.c.id == comment_id))
