"""Rails: what a text must not hold, how it is found, hidden and mended, and who decides. Pure.

A snapshot's part names policies; a policy is an ordered list of rules, each with one rail. The
gateway and the SDK run them. Knows texts, whole or in pieces; knows no HTTP, no message format, no
project and no file. What needs another process (a model, Presidio) is run by whoever owns it and
only weighed here.
"""

from stockpot.rails.models import (
    ACTIONS,
    PLACES,
    RAILS_PART,
    RAILS_PART_VERSION,
    STRENGTH,
    Action,
    Bounded,
    Failure,
    Finding,
    Hit,
    InvalidRule,
    Mending,
    Outcome,
    Policy,
    Rail,
    RailsPart,
    Ran,
    Rule,
    Where,
)
from stockpot.rails.policy import CompiledPolicy, Step, ask, failure_of
from stockpot.rails.registry import ELSEWHERE, GROUP, KINDS, Settings, build, kinds
from stockpot.rails.streaming import StreamScanner
from stockpot.rails.vault import LABELS, Unmasking, Vault, label_of, masked, may_collide

__all__ = [
    "ACTIONS",
    "ELSEWHERE",
    "GROUP",
    "KINDS",
    "LABELS",
    "PLACES",
    "RAILS_PART",
    "RAILS_PART_VERSION",
    "STRENGTH",
    "Action",
    "Bounded",
    "CompiledPolicy",
    "Failure",
    "Finding",
    "Hit",
    "InvalidRule",
    "Mending",
    "Outcome",
    "Policy",
    "Rail",
    "RailsPart",
    "Ran",
    "Rule",
    "Settings",
    "Step",
    "StreamScanner",
    "Unmasking",
    "Vault",
    "Where",
    "ask",
    "build",
    "failure_of",
    "grams",
    "kinds",
    "label_of",
    "masked",
    "may_collide",
    "ngram",
    "presidio",
]
