"""The snapshot's part `experiments`, and the same for applications that assign by themselves: every
experiment that runs, with what assigning takes and nothing else."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from stockpot import assign
from stockpot.assign import EXPERIMENTS_PART, EXPERIMENTS_PART_VERSION, Document
from stockpot.experiments.store import experiments as store
from stockpot.experiments.store.experiments import Kept


class ExperimentsSource:
    """Gives the publisher this part; see `stockpot.catalog.PartSource`."""

    name = EXPERIMENTS_PART
    version = EXPERIMENTS_PART_VERSION

    def part(self, c: sa.Connection) -> bytes:
        """b"" when none runs, so that workers have nothing to look at."""
        document = document_of(c)
        return msgspec.msgpack.encode(document) if document.experiments else b""


def document_of(c: sa.Connection, project: str | None = None) -> Document:
    """What runs, in one project or in all. The version rises with each change of any experiment."""
    found = [k for k in store.running(c) if project in (None, k.shown.project)]
    return Document(store.last_change(c), tuple(published(kept) for kept in found))


def published(kept: Kept) -> assign.Experiment:
    """An experiment as whoever assigns sees it."""
    shown = kept.shown
    return assign.Experiment(
        id=shown.id,
        name=shown.name,
        project=shown.project,
        kind=shown.kind,
        subject=shown.subject,
        unit=shown.unit,
        salt=kept.salt,
        arms=tuple(
            assign.Arm(arm.name, arm.weight, arm.target or shown.subject) for arm in shown.arms
        ),
        share=shown.share,
        control=shown.compared_with,
        state="running",
    )
