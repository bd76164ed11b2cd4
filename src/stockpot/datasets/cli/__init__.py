"""The commands of data sets and annotation."""

from stockpot.datasets.cli import making
from stockpot.datasets.cli.annotate import annotate
from stockpot.datasets.cli.sets import datasets

__all__ = ["annotate", "datasets", "making"]
