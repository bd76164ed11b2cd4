"""Judging answers: whether they fit the rubric, whether annotators agree, and how far. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from stockpot import stats
from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.datasets.annotation_models import (
    Answered,
    Figure,
    Item,
    PairAgreement,
    Question,
    QuestionAgreement,
)
from stockpot.traces import NewScore

_LONGEST = 10_000


def fitting(rubric: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the rubric asks for them; says which does not fit."""
    names = [question.name for question in rubric]
    if unknown := set(answers) - set(names):
        name = min(unknown)
        raise InvalidInput(f"the rubric asks nothing named {name!r}.{did_you_mean(name, names)}")
    found = {}
    for question in rubric:
        given = answers.get(question.name)
        if given is None or given == "":
            if question.required:
                raise InvalidInput(f"the question {question.name!r} needs an answer")
            continue
        found[question.name] = _fitting(question, given)
    return found


def _fitting(question: Question, given: Any) -> Any:
    match question.kind:
        case "bool" if isinstance(given, bool):
            return given
        case "categorical" if given in question.labels:
            return given
        case "text" if isinstance(given, str) and len(given) <= _LONGEST and "\0" not in given:
            return given
        case "numeric" if isinstance(given, int | float) and not isinstance(given, bool):
            low = -1e12 if question.least is None else question.least
            high = 1e12 if question.most is None else question.most
            if low <= given <= high:
                return float(given)
    wanted = {
        "bool": "true or false",
        "categorical": f"one of {', '.join(question.labels)}",
        "text": f"a text of at most {_LONGEST} characters",
        "numeric": f"a number{_bounds(question)}",
    }[question.kind]
    raise InvalidInput(f"{question.name!r} must be {wanted}, not {str(given)[:60]!r}")


def _bounds(question: Question) -> str:
    if question.least is None and question.most is None:
        return ""
    return f" from {question.least} to {question.most}"


def differing(rubric: Sequence[Question], answered: Sequence[Answered]) -> tuple[str, ...]:
    """The questions on which annotators differ; texts are each their own."""
    return tuple(
        question.name
        for question in rubric
        if question.kind != "text"
        and not _agree(question, [one.answers.get(question.name) for one in answered])
    )


def _agree(question: Question, given: Sequence[Any]) -> bool:
    if question.kind == "numeric":
        numbers = [value for value in given if value is not None]
        some = len(numbers) in (0, len(given))
        return some and (not numbers or max(numbers) - min(numbers) <= question.tolerance)
    return len(set(given)) < 2


def agreement_on(question: Question, items: Sequence[Item]) -> QuestionAgreement:
    """How far the annotators agree on a question, over items that all have answered."""
    said = [{a.annotator: a.answers.get(question.name) for a in item.answered} for item in items]
    ranked = [{who: _value(question, v) for who, v in one.items()} for one in said]
    units = [list(one.values()) for one in ranked]
    agreed, rated = stats.share_agreed(units)
    people = sorted({who for one in ranked for who, value in one.items() if value is not None})
    return QuestionAgreement(
        name=question.name,
        level=question.level,
        items=rated,
        agreed=agreed,
        alpha=_figure(stats.krippendorff_alpha(units, question.level)) if rated else None,
        pairs=tuple(
            _pair(question, one, other, ranked) for one, other in itertools.combinations(people, 2)
        ),
    )


def _value(question: Question, given: Any) -> Any:
    """An answer as a value that ranks: a label of an ordinal question by its place."""
    if given is not None and question.kind == "categorical" and question.level != "nominal":
        return question.labels.index(given)
    return given


def _pair(
    question: Question, one: str, other: str, ranked: Sequence[Mapping[str, Any]]
) -> PairAgreement:
    both = [(r[one], r[other]) for r in ranked if None not in (r.get(one), r.get(other))]
    kappa = None
    if both and question.kind != "numeric":
        mine, theirs = zip(*both, strict=True)
        ranked_ones = question.level != "nominal"
        kappa = _figure(stats.cohen_kappa(mine, theirs, "quadratic" if ranked_ones else "none"))
    agreed = sum(1 for mine, theirs in both if mine == theirs)
    return PairAgreement(one=one, other=other, items=len(both), agreed=agreed, kappa=kappa)


def _figure(found: stats.Estimate) -> Figure:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return Figure(
        value=finite(found.value), low=finite(found.low), high=finite(found.high), n=found.n
    )


def scores_of(
    project: str,
    queue: str,
    item: Item,
    rubric: Sequence[Question],
    answered: Answered,
    evaluator: str = "",
) -> list[NewScore]:
    """What an annotator said, as scores of people; the comment goes with the first."""
    found = []
    comment = answered.comment
    about: dict[str, Any] = {"trace_id": item.trace_id, "span_id": item.span_id or None}
    if item.row_id:  # what is said of a row is not said of the answer that it came from
        about = {"item": item.row_id}
    for question in rubric:
        given = answered.answers.get(question.name)
        if given is None:
            continue
        said: dict[str, Any] = {"comment": comment}
        match question.kind:
            case "bool":
                said |= {"value": float(given), "label": str(given).lower()}
            case "numeric":
                said |= {"value": float(given)}
            case "categorical":
                said |= {"label": given}
                if question.level != "nominal":
                    said["value"] = float(question.labels.index(given))
            case "text":
                said["comment"] = given
        found.append(
            NewScore(
                project=project, **about, name=question.name, source="human",
                author=answered.annotator, evaluator=evaluator, queue=queue, **said,
            )
        )  # fmt: skip
        comment = ""
    return found
