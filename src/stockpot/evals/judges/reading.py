"""Reading what a judge's model said. Pure, and careful: what is not clear is no verdict.

A JSON object with the verdict is looked for first, then a last line `verdict: X`, then a text that
is nothing but one of the words. Two different verdicts in one answer are none. What cannot be read
is counted as a parse failure by whoever asked; nothing is guessed and nothing is dropped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from stockpot.evals.judges.instructing import ABSTAIN, words_of
from stockpot.evals.judges.models import GROUNDED, JUDGED, OTHER, TIE, UNGROUNDED, Judge
from stockpot.evals.records import Vote

_LINE = re.compile(
    r"^\W*(?:final\s+)?(?:verdict|score|rating|answer)\W*[:=]\s*(.+?)\s*$", re.I | re.M
)
_KEYS = ("verdict", "score", "rating", "label")
_LONGEST_REASON = 1000
_TEXT = 20_000


def read(judge: Judge, text: str, order: str = "") -> Vote:
    """One answer as a vote; `missing` says why it is none."""
    text = text.strip()[-_TEXT:]
    objects = list(_objects(text))
    if judge.kind == "groundedness":
        return _claims(judge, objects)
    given, reason = _given(objects)
    if given is None:
        given = _said(text)
    if isinstance(given, str) and given.casefold() == ABSTAIN and judge.abstain:
        return Vote(missing="abstained", reason=reason)
    found = _number(judge, given) if judge.scale.numeric else _word(judge, given)
    if found is None:
        return Vote(missing="parse", reason=_unread(text))
    if judge.scale.numeric:
        return Vote(value=float(found), label=f"{float(found):g}", reason=reason)
    label = _own(str(found), order) if judge.kind == "pairwise" else str(found)
    return Vote(value=judge.scale.value_of(label), label=label, reason=reason)


def _own(word: str, order: str) -> str:
    """A or B as it was shown, in the row's own numbering."""
    if word == TIE:
        return TIE
    first = JUDGED if order != "ba" else OTHER
    return first if word == "A" else (OTHER if first == JUDGED else JUDGED)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object that begins somewhere in a text, none inside another."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(found, dict):
            yield found


def _given(objects: list[dict[str, Any]]) -> tuple[Any, str]:
    """The verdict of the objects that have one, where they do not contradict each other."""
    told = [
        (one[key], one)
        for one in objects
        for key in _KEYS
        if isinstance(one.get(key), str | int | float) and not isinstance(one.get(key), bool)
    ]
    if not told or len({str(value).strip().casefold() for value, _ in told}) > 1:
        return None, ""
    value, whole = told[-1]
    return value, str(whole.get("reason") or whole.get("reasoning") or "")[:_LONGEST_REASON]


def _said(text: str) -> str | None:
    """The verdict of a text without JSON."""
    lines = {found.strip("\"'`*. ").casefold(): found for found in _LINE.findall(text)}
    if len(lines) == 1:
        return str(next(iter(lines.values()))).strip("\"'`*. ")
    return text.strip("\"'`*. \n") if len(text) < 120 and not lines else None


def _word(judge: Judge, given: Any) -> str | None:
    if not isinstance(given, str | int | float):
        return None
    wanted = str(given).strip().casefold()
    return next((word for word in words_of(judge) if word.casefold() == wanted), None)


def _number(judge: Judge, given: Any) -> float | None:
    scale = judge.scale
    try:
        number = float(str(given).strip())
    except ValueError:
        return None
    assert scale.least is not None
    assert scale.most is not None
    return number if math.isfinite(number) and scale.least <= number <= scale.most else None


def _claims(judge: Judge, objects: list[dict[str, Any]]) -> Vote:
    """The share of claims that the context supports."""
    told = [one["claims"] for one in objects if isinstance(one.get("claims"), list)]
    if len(told) != 1:
        return Vote(missing="parse", reason="no list of claims in the answer")
    claims = told[0]
    if not claims:
        return Vote(missing="abstained", reason="the answer makes no claim that could be checked")
    verdicts = [_support(one) for one in claims]
    if None in verdicts:
        return Vote(missing="parse", reason="a claim without a verdict that can be read")
    share = verdicts.count("supported") / len(verdicts)
    failed = [str(one.get("claim", "")) for one, said in zip(claims, verdicts, strict=True)
              if said != "supported"]  # fmt: skip
    label = GROUNDED if share >= judge.threshold else UNGROUNDED
    words = f"{verdicts.count('supported')} of {len(verdicts)} claims are supported"
    reason = "; ".join([words, *(f"not supported: {claim}" for claim in failed)])
    return Vote(value=share, label=label, reason=reason[:_LONGEST_REASON])


def _support(claim: Any) -> str | None:
    said = claim.get("verdict") if isinstance(claim, dict) else None
    word = said.strip().casefold() if isinstance(said, str) else ""
    return word if word in ("supported", "contradicted", "missing") else None


def _unread(text: str) -> str:
    return f"no verdict in: {text[:200]!r}" if text else "the model said nothing"
