"""`stockpot experiments`: the verbs of experiments as commands."""

from stockpot.experiments.cli import looking, moving, simulate
from stockpot.experiments.cli.root import experiments

__all__ = ["experiments", "looking", "moving", "simulate"]
