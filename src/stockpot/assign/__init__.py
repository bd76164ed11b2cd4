"""Which arm of an experiment a unit is in. Pure: a document and a unit in, an arm out.

Knows experiments as data, salted hashes and shares; knows no request, no clock, no table and no
metric. The gateway, the SDKs and the control plane assign with it, so that a unit sees one arm
wherever it is asked.
"""

from stockpot.assign.models import (
    EXPERIMENTS_PART,
    EXPERIMENTS_PART_VERSION,
    WHOLE,
    Arm,
    Document,
    Experiment,
    Kind,
    State,
)
from stockpot.assign.placing import Drawn, Splitter, assign, draw, faults

__all__ = [
    "EXPERIMENTS_PART",
    "EXPERIMENTS_PART_VERSION",
    "WHOLE",
    "Arm",
    "Document",
    "Drawn",
    "Experiment",
    "Kind",
    "Splitter",
    "State",
    "assign",
    "draw",
    "faults",
]
