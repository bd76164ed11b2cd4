"""Experiments as whoever assigns sees them: arms, weights, a share and a salt. No metric, no I/O.

The part named `experiments` of a snapshot is a `Document` as a MessagePack map, what applications
fetch and keep is the same as JSON: a reader that is older ignores a field that it does not know.
"""

from __future__ import annotations

from typing import Literal

import msgspec

EXPERIMENTS_PART = "experiments"
EXPERIMENTS_PART_VERSION = 1
WHOLE = 10_000
"""Weights and shares are parts of this."""

Kind = Literal["label", "alias", "route"]
State = Literal["draft", "running", "stopped", "rolled_back", "shipped"]


class Arm(msgspec.Struct, frozen=True):
    """One variant. `weight` is its part of the units that take part, of `WHOLE`; `target` is what
    stands in for the experiment's subject: a prompt's version or label (`NAME@7`), a model name."""

    name: str
    weight: int
    target: str


class Experiment(msgspec.Struct, frozen=True):
    """One experiment of a project.

    `subject` is what is split: `NAME@LABEL` of a prompt, or a model name. `unit` says whose calls
    stay together: `user`, `session`, `key`, `header:NAME` (lower case) or `metadata:FIELD`.
    `share` (of `WHOLE`) is the part of the units that takes part: raising it takes in more and
    moves nobody between arms, lowering it lets go of those that came last. Weights and the salt
    must not change while it runs. `control` is the name of the arm that others are compared with;
    `starts_ms` is when the first unit may be assigned (0: at once).
    """

    id: str
    name: str
    project: str
    kind: Kind
    subject: str
    unit: str
    salt: str
    arms: tuple[Arm, ...]
    share: int
    control: str
    starts_ms: int = 0
    state: State = "running"


class Document(msgspec.Struct, frozen=True):
    """Every experiment that runs. `version` rises with each change, for whoever keeps a copy."""

    version: int
    experiments: tuple[Experiment, ...] = ()
