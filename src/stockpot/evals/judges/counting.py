"""From votes to judgements, and what has to be said about them. Pure.

Policy: a row without a verdict is missing, never 0. A pair needs both orders; where they contradict
each other neither answer is preferred (`tie`, value 0.5) and the row counts as inconsistent. A jury
decides by the majority of those who gave a verdict, or by their mean, when at least half of it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from stockpot.evals.judges.models import JUDGED, TIE, Judge
from stockpot.evals.records import Judgement, Missing, Tally, Vote

_WORST_FIRST: tuple[Missing, ...] = ("error", "parse", "abstained", "apart")

_LONGEST_REASON = 200


def of_votes(judge: Judge, item: str, votes: Sequence[Vote]) -> Judgement:
    """What one judge says of a row: its only vote, or its votes in both orders."""
    if len(votes) == 1:
        return _single(item, votes[0])
    return in_both_orders(item, votes[0], votes[1])


def in_both_orders(item: str, ab: Vote, ba: Vote) -> Judgement:
    """A pair that was shown in both orders; votes are in the row's own numbering."""
    votes = (ab, ba)
    missing = _missing(votes)
    reason = ab.reason or ba.reason
    if missing:
        gap = next(vote for vote in votes if vote.missing == missing)
        return Judgement(item=item, missing=missing, reason=gap.reason, votes=votes)
    assert ab.value is not None
    assert ba.value is not None
    same = ab.label == ba.label
    return Judgement(
        item=item, label=ab.label if same else TIE, value=(ab.value + ba.value) / 2,
        consistent=same, votes=votes,
        reason=reason if same else f"the verdict changed with the order: {ab.label}, {ba.label}",
    )  # fmt: skip


def of_jury(judge: Judge, item: str, said: Sequence[Judgement]) -> Judgement:
    """What a jury says of a row, with how many of those who spoke agree."""
    votes = tuple(vote for one in said for vote in one.votes)
    spoke = [one for one in said if not one.missing]
    if 2 * len(spoke) < len(said):
        gap: Missing = next(m for m in _WORST_FIRST if any(one.missing == m for one in said))
        words = f"{len(spoke)} of {len(said)} jurors gave a verdict"
        return Judgement(item=item, missing=gap, reason=words, votes=votes)
    counted = Counter(one.label for one in spoke)
    (label, most), *others = counted.most_common()
    words = ", ".join(f"{count} {name}" for name, count in counted.most_common())
    shared = {"reason": words, "votes": votes, "agreed": most / len(spoke)}
    if judge.combine == "mean":
        value = sum(one.value or 0.0 for one in spoke) / len(spoke)
        label = f"{value:.4g}" if judge.scale.numeric else _nearest(judge, value)
        return Judgement.model_validate({"item": item, "label": label, "value": value, **shared})
    if others and others[0][1] == most:
        return Judgement.model_validate({"item": item, "missing": "apart", **shared})
    values = [one.value or 0.0 for one in spoke if one.label == label]
    value = sum(values) / len(values)
    return Judgement.model_validate({"item": item, "label": label, "value": value, **shared})


def tallied(judgements: Iterable[Judgement]) -> Tally:
    """How rows and calls fared."""
    rows = list(judgements)
    gaps = Counter(one.missing for one in rows)
    votes = [vote for one in rows for vote in one.votes]
    unread = sum(vote.missing == "parse" for vote in votes)
    pairs = [one.consistent for one in rows if one.consistent is not None]
    shown = [vote for vote in votes if vote.order and not vote.missing and vote.label != TIE]
    first = sum((vote.label == JUDGED) == (vote.order == "ab") for vote in shown)
    juries = [one.agreed for one in rows if one.agreed is not None]
    costs = [one.cost_nano for one in rows]
    why = Counter(vote.reason for vote in votes if vote.missing == "error").most_common(1)
    return Tally(
        rows=len(rows), judged=gaps[""], parse=gaps["parse"], abstained=gaps["abstained"],
        errors=gaps["error"], error=why[0][0][:_LONGEST_REASON] if why else "",
        apart=gaps["apart"], calls=len(votes),
        cached=sum(vote.cached for vote in votes), unread=unread,
        parse_share=unread / len(votes) if votes else 0.0,
        pairs=len(pairs), consistent=sum(pairs),
        swap_consistency=sum(pairs) / len(pairs) if pairs else None,
        first_shown=first / len(shown) if shown else None,
        juries=len(juries), split=sum(one < 1 for one in juries),
        cost_nano=None if None in costs else sum(cost or 0 for cost in costs),
    )  # fmt: skip


def both_orders_accuracy(judgements: Iterable[Judgement], right: dict[str, str]) -> float:
    """The share of readable votes that are right, orders counted alike (Zeng et al. 2024, LLMBar,
    arXiv:2310.07641). Votes that could not be read are missing: `Tally` counts them."""
    votes = [(vote.label, right[one.item]) for one in judgements for vote in one.votes
             if not vote.missing and one.item in right]  # fmt: skip
    if not votes:
        raise ValueError("no vote can be held against what is right")
    return sum(said == wanted for said, wanted in votes) / len(votes)


def _single(item: str, vote: Vote) -> Judgement:
    return Judgement(item=item, label=vote.label, value=vote.value, missing=vote.missing,
                     reason=vote.reason, votes=(vote,))  # fmt: skip


def _missing(votes: Sequence[Vote]) -> Missing:
    return next((gap for gap in _WORST_FIRST if any(v.missing == gap for v in votes)), "")


def _nearest(judge: Judge, value: float) -> str:
    labels = judge.scale.labels
    return min(labels, key=lambda label: abs(judge.scale.value_of(label) - value))
