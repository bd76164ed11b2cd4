"""Labels, their protections, and proposals to move them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.prompts.models import LabelProposal, LabelProtection
from stockpot.prompts.store.tables import labels, prompts, proposals, protections


def label_at(c: sa.Connection, prompt_id: str, label: str) -> int | None:
    """The version that a label points at."""
    same = (labels.c.prompt_id == prompt_id) & (labels.c.label == label)
    return c.scalar(sa.select(labels.c.number).where(same))


def put_label(
    c: sa.Connection, prompt_id: str, label: str, number: int, at_ms: int, by: str
) -> None:
    """Let a label point at a version."""
    remove_label(c, prompt_id, label)
    values = {"number": number, "moved_ms": at_ms, "moved_by": by}
    c.execute(sa.insert(labels).values(prompt_id=prompt_id, label=label, **values))


def remove_label(c: sa.Connection, prompt_id: str, label: str) -> None:
    same = (labels.c.prompt_id == prompt_id) & (labels.c.label == label)
    c.execute(sa.delete(labels).where(same))


# --- protections --------------------------------------------------------------------------------


def list_protections(c: sa.Connection, project: str | None = None) -> tuple[LabelProtection, ...]:
    """Protected labels, of one project or of all."""
    query = sa.select(protections).order_by(
        protections.c.project, protections.c.prompt, protections.c.label
    )
    if project is not None:
        query = query.where(protections.c.project == project)
    return tuple(LabelProtection(**row) for row in c.execute(query).mappings())


def protection_of(
    c: sa.Connection, project: str, prompt: str, label: str
) -> LabelProtection | None:
    """What protects a label of a prompt: the prompt's own word, else the project's."""
    known = {p.prompt: p for p in list_protections(c, project) if p.label == label}
    return known.get(prompt) or known.get("")


def put_protection(c: sa.Connection, protection: LabelProtection) -> None:
    remove_protection(c, protection.project, protection.prompt, protection.label)
    c.execute(sa.insert(protections).values(**protection.model_dump()))


def remove_protection(c: sa.Connection, project: str, prompt: str, label: str) -> bool:
    """Whether there was one."""
    same = (
        (protections.c.project == project)
        & (protections.c.prompt == prompt)
        & (protections.c.label == label)
    )
    return c.execute(sa.delete(protections).where(same)).rowcount > 0


# --- proposals ----------------------------------------------------------------------------------


def add_proposal(c: sa.Connection, prompt_id: str, proposal: LabelProposal) -> None:
    values = proposal.model_dump(exclude={"project", "prompt"})
    values["number"] = values.pop("version")
    c.execute(sa.insert(proposals).values(prompt_id=prompt_id, **values))


def settle_proposal(c: sa.Connection, proposal: LabelProposal) -> None:
    """What became of a proposal."""
    told = ("state", "decided_by", "decided_ms", "note", "evaluation")
    values = {name: getattr(proposal, name) for name in told}
    c.execute(sa.update(proposals).where(proposals.c.id == proposal.id).values(**values))


def proposal_by_id(c: sa.Connection, proposal_id: str) -> LabelProposal | None:
    found = _select(c, proposals.c.id == proposal_id)
    return found[0] if found else None


def list_proposals(
    c: sa.Connection,
    *,
    seen: frozenset[str] | None = None,
    prompt_id: str | None = None,
    state: str | None = None,
) -> tuple[LabelProposal, ...]:
    """Proposals, newest first: of the projects that are seen (None is all), of one prompt."""
    terms: list[sa.ColumnElement[bool]] = []
    if seen is not None:
        terms.append(prompts.c.project.in_(seen))
    if prompt_id is not None:
        terms.append(proposals.c.prompt_id == prompt_id)
    if state is not None:
        terms.append(proposals.c.state == state)
    return _select(c, *terms)


def _select(c: sa.Connection, *terms: sa.ColumnElement[bool]) -> tuple[LabelProposal, ...]:
    query = sa.select(proposals, prompts.c.project, prompts.c.name).join(
        prompts, prompts.c.id == proposals.c.prompt_id
    )
    for term in terms:
        query = query.where(term)
    rows = c.execute(query.order_by(proposals.c.id.desc()).limit(500)).mappings()
    return tuple(_proposal(row) for row in rows)


def _proposal(row: Any) -> LabelProposal:
    told = {n: row[n] for n in LabelProposal.model_fields if n not in ("prompt", "version")}
    return LabelProposal(**told, prompt=row["name"], version=row["number"])
