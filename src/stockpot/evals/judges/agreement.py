"""How far raters agree, out of a file of ratings. Pure but for reading the file.

Rows are `{"item", "rater", "label", "slice"}`, one JSON object a line; `slice` may be left out, a
label of null is a rating that is missing. One rater is the reference; accuracy and kappa are held
against it, alpha looks at all raters alike. Knows ratings; knows no judge and no store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.evals.judges.certifying import figure

Level = Literal["nominal", "ordinal", "interval"]
_REFERENCES = ("gold", "human", "reference", "truth", "expert")
_FIELDS = ("item", "rater", "label", "slice")
_MOST_LABELS = 200
_FEW = 5000


class Rating(NamedTuple):
    """One rater's word on one item."""

    item: str
    rater: str
    label: Any
    slice: str
    line: int


class Ratings(NamedTuple):
    """All of a file: words by item and rater, parts of items, what was missing or repeated."""

    said: dict[str, dict[str, Any]]
    parts: dict[str, set[str]]
    raters: tuple[str, ...]
    rows: int
    missing: int
    repeated: int


def read_ratings(path: Path) -> Ratings:
    """A file of ratings. Raises InvalidInput with the line at fault."""
    try:
        with path.open(encoding="utf-8") as file:
            return ratings_of((number, line) for number, line in enumerate(file, 1))
    except FileNotFoundError:
        raise NotFound(f"no file {str(path)!r}") from None
    except UnicodeDecodeError as bad:
        raise InvalidInput(f"{path} is no UTF-8 text: {bad}") from None
    except InvalidInput as bad:
        raise InvalidInput(f"{path}, {bad.message}", hint=bad.hint) from None


def ratings_of(lines: Iterable[tuple[int, str]]) -> Ratings:
    """Ratings out of numbered lines."""
    said: dict[str, dict[str, Any]] = {}
    parts: dict[str, set[str]] = {}
    first: dict[tuple[str, str], int] = {}
    raters: dict[str, None] = {}
    rows = missing = repeated = 0
    for number, line in lines:
        if not line.strip():
            continue
        one = _rating(number, line)
        rows += 1
        raters.setdefault(one.rater)
        if one.slice:
            parts.setdefault(one.item, set()).add(one.slice)
        of_item = said.setdefault(one.item, {})
        if one.rater in of_item:
            repeated += 1
            if of_item[one.rater] != one.label:
                raise InvalidInput(
                    f"line {number}: {one.rater!r} rated {one.item!r} already in line "
                    f"{first[one.item, one.rater]}, and otherwise"
                )
            continue
        first[one.item, one.rater] = number
        of_item[one.rater] = one.label
        missing += one.label is None
    if not rows:
        raise InvalidInput("line 1: there is no rating in it", hint=_EXAMPLE)
    return Ratings(said, parts, tuple(raters), rows, missing, repeated)


_EXAMPLE = '{"item": "1", "rater": "human", "label": "good", "slice": "de"}'


def _rating(number: int, line: str) -> Rating:
    try:
        told = json.loads(line)
    except ValueError as bad:
        raise InvalidInput(f"line {number}: not JSON: {bad}", hint=_EXAMPLE) from None
    if not isinstance(told, dict):
        raise InvalidInput(f"line {number}: not a JSON object", hint=_EXAMPLE)
    for field in ("item", "rater", "label"):
        if field not in told:
            near = did_you_mean(field, list(told))
            raise InvalidInput(f"line {number}: no {field!r}.{near}", hint=_EXAMPLE)
    item, rater, label, part = (told.get(field) for field in _FIELDS)
    for field, value in (("item", item), ("rater", rater)):
        if isinstance(value, dict | list | bool | None) or value == "":
            raise InvalidInput(f"line {number}: {field!r} must be a name, not {value!r}")
    if isinstance(label, dict | list) or (isinstance(label, float) and label != label):
        raise InvalidInput(f"line {number}: 'label' must be a text, a number or true or false")
    if part is not None and not isinstance(part, str | int | float | bool):
        raise InvalidInput(f"line {number}: 'slice' must be a text")
    word = str(label).lower() if isinstance(label, bool) else label
    return Rating(str(item), str(rater), word, "" if part is None else str(part), number)


def reference_of(raters: Sequence[str], wanted: str = "") -> tuple[str, str]:
    """The rater that others are held against, and the rule by which: the one that is named, else
    the first called gold, human, reference, truth or expert (or that and more), else the first."""
    if wanted:
        if wanted not in raters:
            near = did_you_mean(wanted, raters)
            raise InvalidInput(f"nobody called {wanted!r} rated anything.{near}",
                               hint=f"--reference {raters[0]}")  # fmt: skip
        return wanted, "named by --reference"
    for word in _REFERENCES:
        for matches in (str.__eq__, str.startswith):
            found = next((rater for rater in raters if matches(rater.casefold(), word)), None)
            if found is not None:
                return found, f"its name says that it is the reference ({word})"
    return raters[0], "the first rater of the file"


def report(
    ratings: Ratings, *, reference: str = "", level: Level | None = None,
    order: Sequence[str] = (), confidence: float = 0.95,
) -> dict[str, Any]:  # fmt: skip
    """Accuracy, kappa and alpha with intervals: overall, by rater and by slice. `order` lists
    labels that are texts from the worst to the best."""
    name, rule = reference_of(ratings.raters, reference)
    ranked = _Ranks(ratings, level, order)
    rows = [(item, {r: ranked(v) for r, v in said.items() if v is not None})
            for item, said in ratings.said.items()]  # fmt: skip
    others = [rater for rater in ratings.raters if rater != name]
    whole = _Part(rows, name, others, ranked.level, confidence)
    names = sorted({part for found in ratings.parts.values() for part in found})
    slices = []
    for part in names:
        mine = [(i, said) for i, said in rows if part in ratings.parts.get(i, ())]
        slices.append({"slice": part, **_Part(mine, name, others, ranked.level, confidence).told()})
    return {
        "rows": ratings.rows, "items": len(ratings.said), "raters": list(ratings.raters),
        "labels": ranked.shown, "missing": ratings.missing, "repeated": ratings.repeated,
        "reference": name, "reference_rule": rule, "level": ranked.level,
        "weights": whole.weights, "confidence": confidence, **whole.told(), "slices": slices,
        "methods": _METHODS,
    }  # fmt: skip


_METHODS = {
    "accuracy": "share of ratings that are the reference's; Wilson's interval for one rater, "
    "cluster-robust by item (CR2) over several",
    "kappa": "Cohen's, quadratic weights where labels have an order; interval of Fleiss, Cohen and "
    "Everitt (1969) for one rater (Wilson's where all agree), percentile bootstrap "
    "by item over several",
    "alpha": "Krippendorff's over all raters, the reference among them; bootstrap by item",
}


class _Ranks:
    """Labels as values that rank: numbers where all are numbers, else texts, in their order."""

    def __init__(self, ratings: Ratings, level: Level | None, order: Sequence[str]) -> None:
        found = {v for said in ratings.said.values() for v in said.values() if v is not None}
        self._places = {label: float(place) for place, label in enumerate(order)}
        self._numeric = not order and bool(found) and all(_is_number(value) for value in found)
        if order and (strange := sorted(str(v) for v in found if str(v) not in self._places)):
            raise InvalidInput(f"the label {strange[0]!r} is not in the order that was given")
        values = {self(value) for value in found}
        if len(values) > _MOST_LABELS and level != "interval":
            raise InvalidInput(
                f"{len(values)} different labels are no classes", hint="--level interval"
            )
        ordered = bool(order) or (self._numeric and len(values) > 2)
        self.level: Level = level or ("ordinal" if ordered else "nominal")
        if self.level != "nominal" and not (self._numeric or order):
            raise InvalidInput(
                f"labels that are texts have no {self.level} scale by themselves",
                hint="--order bad,fair,good",
            )
        self.shown = list(order) or sorted(values)[:_MOST_LABELS]

    def __call__(self, label: Any) -> Any:
        if self._places:
            return self._places.get(str(label))
        return float(label) if self._numeric else str(label)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


_Rows = Sequence[tuple[str, Mapping[str, Any]]]


class _Part:
    """The figures of some items."""

    def __init__(
        self, rows: _Rows, reference: str, others: Sequence[str], level: Level, confidence: float
    ) -> None:
        self._rows = rows
        self._reference = reference
        self._others = others
        self._level = level
        self._confidence = confidence
        self.weights: Any = "none" if level == "nominal" else "quadratic"

    def told(self) -> dict[str, Any]:
        """Overall and by rater."""
        by_rater = {rater: self._pairs(rater) for rater in self._others}
        pooled = [pair for pairs in by_rater.values() for pair in pairs]
        several = sum(bool(pairs) for pairs in by_rater.values()) > 1
        return {
            **(self._pooled(pooled) if several else self._against(pooled)),
            "alpha": self._alpha(),
            "by_rater": [
                {"rater": rater, "n": len(pairs), **self._against(pairs)}
                for rater, pairs in by_rater.items()
            ],
        }

    def _pairs(self, rater: str) -> list[tuple[Any, Any, str]]:
        name = self._reference
        return [
            (said[name], said[rater], item)
            for item, said in self._rows
            if name in said and rater in said
        ]

    def _against(self, pairs: Sequence[tuple[Any, Any, str]]) -> dict[str, Any]:
        from stockpot import stats

        if not pairs:
            return {"accuracy": None, "kappa": None}
        one, other, _ = zip(*pairs, strict=True)
        agreed = sum(a == b for a, b in zip(one, other, strict=True))
        kappa = stats.cohen_kappa(one, other, self.weights, self._confidence)
        if kappa.low == kappa.high:
            kappa = stats.careful_kappa(one, other, self.weights, self._confidence)
        return {
            "accuracy": _told(stats.wilson(agreed, len(pairs), self._confidence)),
            "kappa": _told(kappa),
        }

    def _pooled(self, pairs: Sequence[tuple[Any, Any, str]]) -> dict[str, Any]:
        from stockpot import stats

        one, other, items = zip(*pairs, strict=True)
        same = [float(a == b) for a, b in zip(one, other, strict=True)]
        kappa = stats.clustered_kappa(
            one, other, items, self.weights, self._confidence, _rounds(len(pairs))
        )
        return {
            "accuracy": _told(stats.clustered_mean(same, items, self._confidence)),
            "kappa": _told(kappa),
        }

    def _alpha(self) -> dict[str, Any] | None:
        from stockpot import stats

        units = [list(said.values()) for _, said in self._rows if len(said) > 1]
        if not units:
            return None
        found = stats.krippendorff_alpha(units, self._level, self._confidence, _rounds(len(units)))
        return _told(found)


def _rounds(size: int) -> int:
    return 2000 if size <= _FEW else 500


def _told(found: Any) -> dict[str, Any]:
    return figure(found).model_dump()
