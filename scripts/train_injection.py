"""Trains the models of the rails `injection` and `indirect_injection` from licensed data, and says
what they are worth on texts that they have not seen.

    STOCKPOT_TEST_DATA=... python scripts/train_injection.py [--write] [RAIL]

Each rail gets one model of everything; `.heldout`, trained without the sets that the rail is
measured on; and `.folds`, of which each has not seen a fifth of the texts. Knows data and how it
is held out; how a model is fitted is `stockpot.guardrails.fitting`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import numpy as np
import training_data as data
from training_data import Row

from stockpot.guardrails import fitting
from stockpot.guardrails.fitting import Floats, Problem, Weights
from stockpot.guardrails.phrases import examples
from stockpot.rails.grams import fingerprint, probability

OUT = Path(__file__).parents[1] / "src" / "stockpot" / "rails" / "trained"
PENALTY = {"injection": 0.003, "indirect_injection": 0.01}
FOLDS = 5
MEASURED = {"injection": {"deepset", "bfcl", "presidio"}, "indirect_injection": {"bipia"}}
FALSE_POSITIVES = {"injection": 0.01, "indirect_injection": 0.02}


def own(rail: str) -> list[Row]:
    made = []
    for text, label in examples(rail):
        weight = 0.3 if rail == "injection" else 0.5 if label else 1.0
        made.append(Row(text, label, "own", text, weight))
    return made


def rows_of(rail: str) -> list[Row]:
    """Everything to train with; near copies of one text count once."""
    if rail == "injection":
        found = [row._replace(weight=0.3) for row in data.queries() + data.others()]
        found = data.deepset() + found
    else:
        found = data.attacks() + data.documents() + data.orders()
        for mail, group in data.mails():
            found += [Row(text, 0, "bipia", group) for text in data.cut(mail)]
    seen: set[bytes] = set()
    unique = []
    for row in own(rail) + found:
        mark = fingerprint(row.text)
        if mark not in seen:
            seen.add(mark)
            unique.append(row)
    return unique


def problem_of(rows: list[Row], rail: str) -> Problem:
    bags = fitting.bags_of([row.text for row in rows], rail)
    labels = np.array([row.label for row in rows], np.intp)
    return Problem(bags, labels, np.array([row.weight for row in rows]))


def folds_of(rows: list[Row]) -> list[int]:
    """A fold for each row; one group is in one fold, our own phrases are in none (-1)."""
    groups = sorted({row.group for row in rows if row.source != "own"})
    order = np.random.default_rng(0).permutation(len(groups))
    fold = {group: int(place) % FOLDS for group, place in zip(groups, order, strict=True)}
    return [-1 if row.source == "own" else fold[row.group] for row in rows]


def crossed(problem: Problem, folds: list[int], penalty: float) -> tuple[Floats, list[Weights]]:
    """The log odds of each row by a model that has not seen its fold, and these models."""
    fold = np.array(folds)
    found = np.full(len(folds), np.nan)
    models = []
    for k in range(FOLDS):
        models.append(fitting.fit(fitting.part(problem, fold != k), penalty))
        held = fold == k
        found[held] = fitting.scores(fitting.part(problem, held).bags, models[-1])
    return found, models


def report(rows: list[Row], found: Floats, least: float) -> None:
    """Recall and false positives of each set at the threshold, on rows that were held out."""
    for source in sorted({row.source for row in rows} - {"own"}):
        for label in (1, 0):
            chosen = [i for i, r in enumerate(rows) if (r.source, r.label) == (source, label)]
            if chosen:
                over = int((found[chosen] >= least).sum())
                word = "recall" if label else "false positives"
                print(
                    f"  {source:10} {word:16} {over:5} of {len(chosen):5}  {over / len(chosen):.3f}"
                )


def threshold_of(rows: list[Row], found: Floats, rail: str) -> float:
    """What no more than the wanted share of held-out harmless rows passes: of the measured sets
    together, and of documents of each sort by itself."""
    sets = [MEASURED[rail]]
    if rail == "indirect_injection":
        sets += [{source} for source in {row.source for row in rows if not row.label} - {"own"}]
    harmless = [
        found[[i for i, row in enumerate(rows) if not row.label and row.source in of]]
        for of in sets
    ]
    return max(float(np.quantile(one, 1 - FALSE_POSITIVES[rail])) for one in harmless)


def kept(rail: str, model: Weights, threshold: float, rows: list[Row]) -> bytes:
    seen = [row.text for row in rows if row.source != "own"]
    about = f"{len(rows)} texts: {', '.join(sorted({row.source for row in rows}))}"
    made = fitting.packed(rail, model, probability(threshold), about, seen)
    return msgspec.msgpack.encode(made)


def write(name: str, content: bytes) -> None:
    (OUT / name).write_bytes(content)
    print(f"  {name}: {len(content) / 1000:.0f} kB")


def train(rail: str, keep: bool) -> None:
    rows = rows_of(rail)
    problem, penalty, folds = problem_of(rows, rail), PENALTY[rail], folds_of(rows)
    print(f"{rail}: {len(rows)} texts, {sum(row.label for row in rows)} attacks")
    found, models = crossed(problem, folds, penalty)
    least = threshold_of(rows, found, rail)
    print(f"  threshold {probability(least):.4f}")
    report(rows, found, least)
    if not keep:
        return
    write(f"{rail}.model", kept(rail, fitting.fit(problem, penalty), least, rows))
    left = np.array([row.source not in MEASURED[rail] for row in rows])
    held = [row for row, is_left in zip(rows, left, strict=True) if is_left]
    model = fitting.fit(fitting.part(problem, left), penalty)
    write(f"{rail}.heldout.model", kept(rail, model, least, held))
    parts = [
        kept(rail, model, least, [row for row, fold in zip(rows, folds, strict=True) if fold != k])
        for k, model in enumerate(models)
    ]
    write(f"{rail}.folds.model", msgspec.msgpack.encode(parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rails", nargs="*", default=list(PENALTY))
    parser.add_argument("--write", action="store_true", help="replace the models that ship")
    told = parser.parse_args()
    for rail in told.rails:
        train(rail, told.write)


if __name__ == "__main__":
    main()
