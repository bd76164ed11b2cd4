"""Scorers: what an answer is worth. Found by entry points, those in the box among them."""

from stockpot.evals.scorers.base import Call, Case, Extra, Scorer, Tools, at_path
from stockpot.evals.scorers.finding import known, made

__all__ = ["Call", "Case", "Extra", "Scorer", "Tools", "at_path", "known", "made"]
