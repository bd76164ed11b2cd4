"""What rails find and what they cost: `python bench/guardrails.py [--write]`.

Rates are those of data sets in the folder STOCKPOT_TEST_DATA, each with a Wilson interval, on texts
that the measured model has not seen; without the folder only times are printed. Times are
processor microseconds for 2 KB of this repository's documentation, each rail with settings that
let it look at all of it; p95 is over the texts, the best of several rounds, because a busy machine
only makes them larger. `--write` keeps the rates where the product and its pages read them.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from stockpot.guardrails.calibrating import calibrate, cut_at, scores_of
from stockpot.guardrails.measuring import measure, rate
from stockpot.guardrails.rows import Labelled, Span
from stockpot.rails import Rule, build, grams
from stockpot.rails import presidio as presidio_adapter
from stockpot.rails.ngram import InjectionRail

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
RATES = ROOT / "src" / "stockpot" / "guardrails" / "rates.json"
ROUNDS = 5
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
RULES: dict[str, dict[str, Any]] = {
    "pii": {}, "secrets": {}, "urls": {"deny": ["*.evil.example"]}, "code": {},
    "words": {"words": ["contraband", "secret recipe"]}, "language": {"allow": ["en"]},
    "topics": {"topics": {"betting": {"words": {"casino": 1.0, "odds": 1.0}, "threshold": 1}}},
    "length": {"max_characters": 100_000}, "json_schema": {"schema": SCHEMA},
    "injection": {}, "indirect_injection": {},
}  # fmt: skip


def texts_of_2_kb() -> list[str]:
    """The pages of the guide, in pieces."""
    pages = "\n".join(path.read_text("utf-8") for path in sorted(ROOT.glob("docs/**/*.md")))
    return [pages[i : i + 2048] for i in range(0, len(pages) - 2048, 2048)][:200]


def cost(kind: str, texts: list[str]) -> tuple[float, float]:
    """Microseconds of processor time for a text: the mean and the 95th percentile."""
    rail = build(Rule("bench", kind, settings=RULES[kind]), {})
    best = np.full(len(texts), np.inf)
    for _ in range(ROUNDS):
        for i, text in enumerate(texts):
            begun = time.thread_time_ns()
            rail.find(text)
            best[i] = min(best[i], (time.thread_time_ns() - begun) / 1e3)
    return float(best.mean()), float(np.quantile(best, 0.95))


def injection() -> dict[str, Any]:
    """In a tenant's domain: the model that has not seen the set, refitted to it, cross-fitted."""
    import training_data as data

    rows = [Labelled(row.text, row.label) for row in data.deepset()]
    told = calibrate("injection", rows, max_fpr=0.01, refit=True).evidence
    return {
        "set": "deepset/prompt-injections, a random half (331 texts, English and German), after "
        "calibrating with a refit to it, cross-fitted",
        **flat(told["with_refit"]["recall"], told["with_refit"]["fpr"]),
        "threshold_alone": flat(told["without_refit"]["recall"], told["without_refit"]["fpr"]),
        "as_shipped": flat(told["before"]["recall"], told["before"]["fpr"]),
        "benign_queries": benign_queries(),
        "long_texts": long_texts(),
    }


def benign_queries() -> dict[str, Any]:
    """False positives on what users ask: the threshold is set on half of the texts and counted on
    the other half, both ways, each text by a model that has not seen it."""
    import training_data as data

    texts = list(dict.fromkeys(row.text for row in data.queries()))
    rows = [Labelled(text, 0) for text in texts]
    found = scores_of("injection", rows)
    half = np.random.default_rng(0).permutation(len(rows)) % 2
    over = sum(
        int((found[half != k] >= cut_at(found[half == k], 0.01).threshold).sum()) for k in (0, 1)
    )
    told = flat(None, rate(over, len(rows)))
    return {"set": "questions of BFCL v4 and sentences of presidio-research", **told}


def long_texts() -> dict[str, Any]:
    """Two kilobytes of prose with and without one attack in them, by the model that has seen none
    of the attacks, at the threshold that ships; what it knows of such prose is in its making."""
    import training_data as data

    rail = InjectionRail(grams.scorer_of(grams.shipped("injection.heldout")))
    prose = "\n".join(row["text"] for row in data.read("anyscale/corpus.jsonl.gz"))
    pieces = [prose[at : at + 2048] for at in range(0, len(prose) - 2048, 2048)]
    attacks = [row.text for row in data.deepset() if row.label]
    chosen = np.random.default_rng(0).choice(len(pieces), len(attacks), replace=False)
    mixed = [
        pieces[n].replace("\n", f"\n{text}\n", 1) for n, text in zip(chosen, attacks, strict=True)
    ]
    return {
        "set": "2 KB pieces of Ray's manual; recall with one attack of deepset's in each",
        **flat(
            rate(sum(rail.score(text) >= rail.threshold for text in mixed), len(mixed)),
            rate(sum(rail.score(text) >= rail.threshold for text in pieces), len(pieces)),
        ),
    }


def indirect_injection() -> dict[str, Any]:
    """BIPIA's train attacks and the sentences of its e-mails, each by a model that has seen neither
    its family of attacks nor its sender; each harmless one by the threshold of the others."""
    import training_data as data

    kind = "indirect_injection"
    rows = [Labelled(row.text, 1) for row in data.attacks()]
    harmless = sorted({text for mail, _ in data.mails() for text in data.cut(mail)})
    rows += [Labelled(text, 0) for text in harmless]
    told = calibrate(kind, rows, max_fpr=0.02, guarantee="average").evidence
    labels = np.array([row.label for row in rows])
    never = scores_of(kind, rows, None, grams.shipped(f"{kind}.heldout"))
    least = cut_at(never[labels == 0], 0.02, "average").threshold
    over = never >= least
    return {
        "set": "BIPIA, 75 train attacks on text among the sentences of its 50 e-mails, each by a "
        "model trained without its family and its sender, at 2 % false positives",
        **flat(told["after"]["recall"], told["after"]["fpr"]),
        "as_shipped": flat(told["before"]["recall"], told["before"]["fpr"]),
        "without_bipia": flat(
            rate(int(over[labels == 1].sum()), int(labels.sum())),
            rate(int(over[labels == 0].sum()), len(harmless)),
        ),
    }


def marked() -> list[Labelled]:
    """Presidio's synthetic sentences with the spans that they mark."""
    import training_data as data

    return [
        Labelled(
            row["text"], int(bool(row["spans"])),
            tuple(Span(s["type"], s["start"], s["end"]) for s in row["spans"]),
        )
        for row in data.read("presidio_research/synth_dataset_v2_half.jsonl.gz")
    ]  # fmt: skip


def pii() -> dict[str, Any]:
    """Presidio's synthetic sentences; types without a structure (names, places) are not sought."""
    told = measure("pii", marked())
    return {
        "set": "presidio-research synthetic v2, a random half (750 texts), structured types; the "
        "patterns were written with it at hand",
        **flat(told.recall, told.fpr),
    }


def presidio() -> dict[str, Any]:
    """Presidio itself where it is installed: by patterns alone, and with a model of spaCy's."""
    import training_data as data

    rows = marked()
    asked = [Labelled(row.text, 0) for row in data.bfcl()]

    def told(settings: dict[str, Any], what: str) -> dict[str, Any]:
        found = measure("presidio", rows, settings=settings)
        return {
            "set": f"presidio-research synthetic v2, a random half (750 texts), {what}",
            **flat(found.recall, found.fpr),
            "benign_queries": {
                "set": "questions of BFCL v4; addresses, dates and places in them are findings",
                **flat(None, measure("presidio", asked, settings=settings).fpr),
            },
        }

    made = told({}, "the types that its patterns look for; presidio-analyzer 2.2.366, no model")
    if name := os.environ.get("SPACY_MODEL"):
        made["with_model"] = told({"spacy_model": name}, "its types with en_core_web_sm 3.8")
    return made


def secrets() -> dict[str, Any]:
    """What vendors' forms make, and what only looks so. The recall of others' lines is kept."""
    from secret_examples import examples

    found = measure("secrets", [Labelled(*row[:2], None, row[2]) for row in examples()])
    return {
        "own_forms": {
            "set": "1,320 secrets of 66 kinds in the forms that vendors publish and 900 that only "
            "look so (scripts/secret_examples.py, seed 7); 14 kinds were added with them at hand "
            "(1,040 found before)",
            **flat(found.recall, found.fpr),
        }
    }


def code() -> dict[str, Any]:
    """What it finds where nothing is. The recall is that of others' lists and is kept."""
    import training_data as data

    texts = [*(row.text for row in data.queries()), *data._said({"user", "assistant", "tool"})]
    texts += [row["question"] for row in data.read("anyscale/synthetic_qa.jsonl.gz")]
    rail = build(Rule("bench", "code"), {})
    alone = list(dict.fromkeys(texts))
    told = flat(None, rate(sum(bool(rail.find(text)) for text in alone), len(alone)))
    pieces = [
        text[i : i + 1500]
        for path in sorted((ROOT / "src").rglob("*.py"))
        for text in [path.read_text("utf-8")]
        for i in range(0, len(text), 1500)
    ]
    over = rate(sum(bool(rail.find(piece)) for piece in pieces), len(pieces))
    return {**told, "source_code": {"set": "pieces of our own sources", **flat(None, over)}}


def language() -> dict[str, Any]:
    """Sentences in 30 languages where only English is allowed, among English questions."""
    import training_data as data

    path = ROOT / "tests/unit/rails/languages.py"
    rows = [
        Labelled(text, int(code != "en"))
        for code, told in runpy.run_path(str(path))["SENTENCES"].items()
        for text in told
    ]
    for name in ("multiple", "parallel", "simple_python"):
        for row in data.read(f"bfcl/BFCL_v4_{name}.json.gz"):
            rows += [Labelled(m["content"], 0) for turn in row["question"] for m in turn]
    found = measure("language", rows, settings={"allow": ["en"]})
    return {
        "set": "72 single sentences of our own in 30 languages with only English allowed; "
        "questions of BFCL v4",
        **flat(found.recall, found.fpr),
    }


def flat(recall: dict[str, Any] | None, fpr: dict[str, Any] | None) -> dict[str, Any]:
    """As the product keeps it."""
    assert fpr is not None
    told: dict[str, Any] = {}
    if recall is not None:
        told |= {"recall": recall["value"], "recall_low": recall["low"]}
        told |= {"recall_high": recall["high"], "positive": recall["n"]}
    told |= {"fpr": fpr["value"], "fpr_low": fpr["low"], "fpr_high": fpr["high"]}
    return {**told, "negative": fpr["n"]}


MEASURED = {
    "injection": injection, "indirect_injection": indirect_injection, "pii": pii,
    "language": language, "secrets": secrets, "code": code,
}  # fmt: skip
if not presidio_adapter.absent():
    MEASURED["presidio"] = presidio


def line(kind: str, told: dict[str, Any], us: float, p95: float) -> str:
    def share(name: str) -> str:
        if name not in told:
            return "-"
        return f"{told[name]:.3f} [{told[f'{name}_low']:.3f}, {told[f'{name}_high']:.3f}]"

    return f"{kind:20} {share('recall'):24} {share('fpr'):24} {us:9.1f} {p95 / 1000:8.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the rates in {RATES.name}")
    told = parser.parse_args()
    texts = texts_of_2_kb()
    rates = {}
    if os.environ.get("STOCKPOT_TEST_DATA"):
        day = time.strftime("%Y-%m-%d", time.gmtime())
        rates = {kind: {**of(), "date": day} for kind, of in MEASURED.items()}
    print(f"{'RAIL':20} {'RECALL':24} {'FALSE POSITIVES':24} {'us / 2 KB':>9} {'p95 ms':>8}")
    for kind in RULES:
        print(line(kind, rates.get(kind, {}), *cost(kind, texts)))
    for kind, found in rates.items():
        print(f"\n{kind}: {found.get('set', 'see rates.json')}")
    print(json.dumps(rates.get("injection", {}), indent=2))
    if told.write and rates:
        kept = json.loads(RATES.read_text("utf-8"))  # with what was measured on others' lines
        now = {kind: {**kept.get(kind, {}), **found} for kind, found in rates.items()}
        RATES.write_text(json.dumps({**kept, **now}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
