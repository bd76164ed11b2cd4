"""Published and recorded results, computed again with our own statistics.

    STOCKPOT_TEST_DATA=FOLDER .venv/bin/python bench/reproduce.py [--json]

Reads recorded trajectories (tau-bench), recorded judges' verdicts (LLMBar) and recorded predictions
(BBQ); calls no model. Each line is the figure, its interval, and what it has to be.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stockpot.stats import Estimate, clustered_mean, mean, pass_all, wilson


class Figure(NamedTuple):
    """One result: `expected` is what the recorded data are known to give, to its digits."""

    name: str
    value: float
    low: float
    high: float
    expected: float
    digits: int

    @property
    def reproduced(self) -> bool:
        return round(self.value, self.digits) == self.expected


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def tau_bench(data: Path) -> Iterator[Figure]:
    """Four trials of each of 50 airline tasks."""
    tasks: dict[int, list[bool]] = defaultdict(list)
    for trial in lines(data / "tau_bench/gpt-4o-airline.trajectories.jsonl.gz"):
        tasks[trial["task_id"]].append(trial["reward"] == 1.0)
    for k, expected in ((1, 0.42), (4, 0.20)):
        yield _figure(f"tau-bench airline pass^{k}", pass_all(list(tasks.values()), k), expected, 2)
    rewards = [float(ok) for trials in tasks.values() for ok in trials]
    clusters = [task for task, trials in tasks.items() for _ in trials]
    se = clustered_mean(rewards, clusters).se
    yield Figure("tau-bench airline clustered SE", se, se, se, 0.052, 3)


def llmbar(data: Path) -> Iterator[Figure]:
    """Accuracy of judges over both orders of a pair, without verdicts that could not be read."""
    kept: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in lines(data / "llmbar/recorded_judgements.jsonl.gz"):
        for order in ("ab", "ba"):
            if str(row[order]) in ("1", "2"):
                right = float(int(row[order]) == row["label"])
                kept[row["judge"], row["prompt"]].append((row["id"], right))
    for judge, expected in (("GPT-4", 0.845), ("ChatGPT", 0.400), ("PaLM2", 0.705)):
        pairs, verdicts = zip(*kept[judge, "Vanilla"], strict=True)
        found = clustered_mean(verdicts, pairs)
        yield _figure(f"LLMBar {judge} Vanilla accuracy", found, expected, 3)


def bbq(data: Path) -> Iterator[Figure]:
    """The bias score where the context does not tell the answer (Parrish et al. 2022,
    arXiv:2110.08193): (1 - accuracy) (2 biased / answers that name somebody - 1)."""
    told = {
        row["example_id"]: row["unifiedqa-t5-11b_pred_race"]
        for row in lines(data / "bbq/recorded_unifiedqa_preds.jsonl.gz")
        if row["category"] == "Age"
    }
    asked = [r for r in lines(data / "bbq/Age.jsonl.gz") if r["context_condition"] == "ambig"]
    right, biased = [], []
    for row in asked:
        chosen = _chosen(row, told[row["example_id"]])
        right.append(float(chosen == row["label"]))
        group = row["answer_info"][f"ans{chosen}"][1]
        if group != "unknown":
            stereotyped = group in row["additional_metadata"]["stereotyped_groups"]
            biased.append(stereotyped == (row["question_polarity"] == "neg"))
    accuracy = mean(right).value
    share = wilson(sum(biased), len(biased))
    ends = [(1 - accuracy) * (2 * x - 1) for x in (share.value, share.low, share.high)]
    yield Figure("BBQ Age ambiguous bias (UnifiedQA)", *ends, 0.43, 2)


def _chosen(row: dict[str, Any], answer: str) -> int:
    def plain(text: str) -> str:
        return text.strip().lower().rstrip(".")

    return [plain(row[f"ans{number}"]) for number in range(3)].index(plain(answer))


def _figure(name: str, found: Estimate, expected: float, digits: int) -> Figure:
    return Figure(name, found.value, found.low, found.high, expected, digits)


def figures(data: Path) -> list[Figure]:
    """All of them."""
    return [*tau_bench(data), *llmbar(data), *bbq(data)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("STOCKPOT_TEST_DATA"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.data is None:
        parser.error("say where the recorded data are: --data or STOCKPOT_TEST_DATA")
    found = figures(Path(options.data))
    if options.json:
        print(json.dumps([{**f._asdict(), "reproduced": f.reproduced} for f in found], indent=2))
        return
    for figure in found:
        said = "reproduced" if figure.reproduced else f"EXPECTED {figure.expected}"
        value = f"{figure.value:.{figure.digits}f}"
        print(f"{figure.name:38} {value:>6}  [{figure.low:.3f}, {figure.high:.3f}]  {said}")


if __name__ == "__main__":
    main()
