"""Scorers: what an answer is worth. Found by entry points, those in the box among them."""

from stockpot.evals.scorers.base import Call, Case, Extra, Scorer, Tools, at_path
from stockpot.evals.scorers.finding import known, made
from stockpot.evals.scorers.judged import PREFIX, JudgeScorer, judge_of

__all__ = [
    "PREFIX",
    "Call",
    "Case",
    "Extra",
    "JudgeScorer",
    "Scorer",
    "Tools",
    "at_path",
    "judge_of",
    "known",
    "made",
]
