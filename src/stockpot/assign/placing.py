"""Placing units: one salted hash gives a unit's place in the ramp, its arm and its alias.

BLAKE2b (RFC 7693) of `salt NUL unit`; of its 64 bytes the first six are the place in the ramp, the
next six the place among the arms, the twelve after them the name that the unit has in records. The
three are independent of each other, and two salts are independent of each other, so experiments do
not lean on one another. Knows nothing of where a unit's name comes from.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

from stockpot.assign.models import WHOLE, Arm, Experiment

_int = int.from_bytes


class Drawn(NamedTuple):
    """A unit that takes part: its arm, and the name that it has in records of this experiment (24
    hexadecimal digits, from which nobody without the salt tells who it is)."""

    arm: Arm
    unit: str


class Splitter:
    """An experiment, ready to place units: about a microsecond for each."""

    __slots__ = ("_bounds", "_salt", "_total", "arms", "control", "experiment")

    def __init__(self, experiment: Experiment) -> None:
        """Raises ValueError where `faults` has something to say."""
        if wrong := faults(experiment):
            raise ValueError("; ".join(wrong))
        self.experiment = experiment
        self.arms = tuple(arm for arm in experiment.arms if arm.weight)
        self.control = next(arm for arm in experiment.arms if arm.name == experiment.control)
        self._bounds = tuple(accumulate(arm.weight for arm in self.arms))
        self._total = self._bounds[-1]
        self._salt = experiment.salt.encode() + b"\0"

    def draw(self, unit: str) -> Drawn | None:
        """The arm of a unit; None for one that does not take part (yet)."""
        experiment = self.experiment
        if experiment.state != "running":
            return None
        digest = blake2b(self._salt + unit.encode("utf-8", "surrogatepass")).digest()
        if _int(digest[:6], "big") % WHOLE >= experiment.share:
            return None
        arm = self.arms[bisect_right(self._bounds, _int(digest[6:12], "big") % self._total)]
        return Drawn(arm, digest[12:24].hex())


def draw(experiment: Experiment, unit: str) -> Drawn | None:
    """As `Splitter.draw`, for one unit."""
    return Splitter(experiment).draw(unit)


def assign(experiment: Experiment, unit: str) -> Arm | None:
    """The arm of a unit, or None for one that does not take part."""
    drawn = Splitter(experiment).draw(unit)
    return drawn.arm if drawn is not None else None


def faults(experiment: Experiment) -> list[str]:
    """What keeps an experiment from being run, in words; empty when nothing does."""
    arms = experiment.arms
    names = [arm.name for arm in arms]
    weights = sum(arm.weight for arm in arms)
    said = []
    if len(set(names)) != len(names):
        said.append("two arms have the same name")
    if experiment.control not in names:
        said.append(f"the control {experiment.control!r} is no arm of it")
    if weights != WHOLE or any(arm.weight < 0 for arm in arms):
        said.append(f"the weights must add up to {WHOLE}, they make {weights}")
    if not 0 <= experiment.share <= WHOLE:
        said.append(f"the share must lie between 0 and {WHOLE}")
    if not experiment.salt:
        said.append("it has no salt")
    return said
