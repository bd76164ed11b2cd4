"""The experiments of a snapshot as a table, and what became of calls that met one. Knows the part
and its version; assigns nothing itself.
"""

from __future__ import annotations

import logging
from typing import Literal

import msgspec

from stockpot.assign import (
    EXPERIMENTS_PART,
    EXPERIMENTS_PART_VERSION,
    Document,
    Experiment,
    Splitter,
)
from stockpot.core.errors import ConfigError
from stockpot.gateway.models import Part

_log = logging.getLogger("stockpot.gateway.experiments")
_decode = msgspec.msgpack.Decoder(Document).decode
Outcome = Literal["exposed", "no_unit", "not_served"]
OUTCOMES: tuple[Outcome, ...] = ("exposed", "no_unit", "not_served")
Tallies = dict[tuple[str, str], dict[Outcome, int]]


class Split:
    """An experiment with where its unit's name is to be found, and the count of its calls."""

    __slots__ = ("field", "header", "name", "source", "splitter", "starts_ns", "tally")

    def __init__(self, experiment: Experiment, tally: dict[Outcome, int]) -> None:
        """Raises ValueError for one that cannot be run."""
        self.splitter = Splitter(experiment)
        self.name = experiment.name
        self.starts_ns = experiment.starts_ms * 1_000_000
        self.source, _, self.field = experiment.unit.partition(":")
        header = {"user": "x-stockpot-user", "session": "x-stockpot-session", "header": self.field}
        self.header = header.get(self.source, "").lower().encode("latin-1", "replace")
        self.tally = tally


class ExperimentTable:
    """By project and subject; of two on one subject the first counts."""

    __slots__ = ("labels", "models")

    def __init__(self) -> None:
        self.labels: dict[tuple[str, str], Split] = {}
        self.models: dict[tuple[str, str], Split] = {}


class ExperimentReader:
    """Reads the part when it has changed; the counts outlive it."""

    def __init__(self) -> None:
        self._data = b""
        self._table: ExperimentTable | None = None
        self._tallies: Tallies = {}

    def read(self, parts: tuple[Part, ...]) -> ExperimentTable | None:
        """None when nothing is split. Raises ConfigError for a version that is not known, and
        MsgspecError for damage."""
        part = next((part for part in parts if part.name == EXPERIMENTS_PART), None)
        if part is None or not part.data:
            return None
        if part.version != EXPERIMENTS_PART_VERSION:
            raise ConfigError(
                f"snapshot part {part.name!r} has version {part.version}, this worker knows "
                f"version {EXPERIMENTS_PART_VERSION}",
                hint="update this host's stockpot",
            )
        if part.data != self._data:
            self._table = self._compiled(_decode(part.data))
            self._data = part.data
        return self._table

    def _compiled(self, document: Document) -> ExperimentTable | None:
        table = ExperimentTable()
        for one in document.experiments:
            if one.state != "running":
                continue
            tally = self._tallies.setdefault((one.project, one.name), dict.fromkeys(OUTCOMES, 0))
            try:
                split = Split(one, tally)
            except ValueError as wrong:  # it must not keep the rest of the snapshot from serving
                _log.warning("the experiment %r is not run: %s", one.name, wrong)
                continue
            where = table.labels if one.kind == "label" else table.models
            where.setdefault((one.project, one.subject), split)
        return table if table.labels or table.models else None

    def samples(self) -> dict[str, float]:
        """Counts as Prometheus samples."""
        return {
            f'stockpot_experiment_calls_total{{project="{project}",experiment="{name}",'
            f'outcome="{outcome}"}}': float(count)
            for (project, name), tally in self._tallies.items()
            for outcome, count in tally.items()
        }
