"""What the n-gram rails are trained and measured with, read from the folder STOCKPOT_TEST_DATA.

Nothing of it is in the repository or in the package; `src/stockpot/rails/trained/README.md` names
sources and licences. Knows files; trains nothing.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from stockpot.rails.grams import chunks_of, sentences, spans_of


class Row(NamedTuple):
    """A text, its label (1 is an attack), the set it comes from and what it must not be separated
    from when a part is held out."""

    text: str
    label: int
    source: str
    group: str
    weight: float = 1.0


def folder() -> Path:
    told = os.environ.get("STOCKPOT_TEST_DATA", "")
    if not told:
        raise SystemExit("set STOCKPOT_TEST_DATA to the folder with the data sets")
    return Path(told)


def read(path: str) -> Any:
    """A file of JSON lines (a list), or of one JSON value."""
    with gzip.open(folder() / path, "rt", encoding="utf-8") as file:
        text = file.read()
    if ".jsonl" in path or path.startswith("bfcl/"):
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def deepset() -> list[Row]:
    rows = read("deepset_prompt_injections/deepset_half.jsonl.gz")
    return [Row(row["text"], int(row["label"]), "deepset", row["text"][:60]) for row in rows]


def queries() -> list[Row]:
    """What users ask: questions to functions, and sentences to a bank's assistant."""
    return bfcl() + presidio()


def bfcl() -> list[Row]:
    made = []
    for name in ("simple_python", "multiple", "parallel"):
        for row in read(f"bfcl/BFCL_v4_{name}.json.gz"):
            turns = [m["content"] for turn in row["question"] for m in turn if m["role"] == "user"]
            made.append(Row(" ".join(turns), 0, "bfcl", row["id"]))
    return made


def presidio() -> list[Row]:
    rows = read("presidio_research/synth_dataset_v2_half.jsonl.gz")
    return [Row(row["text"], 0, "presidio", f"template {row['template_id']}") for row in rows]


def others() -> list[Row]:
    """Harmless texts of other sorts: questions on software and aerodynamics, airline customers."""
    rng = random.Random(0)  # noqa: S311
    asked = sorted({row["question"].strip() for row in read("anyscale/synthetic_qa.jsonl.gz")})
    made = [Row(text, 0, "anyscale", text) for text in rng.sample(asked, 600)]
    told = {row["question"].strip() for row in read("anyscale/questions.jsonl.gz")}
    made += [Row(text, 0, "anyscale", text) for text in sorted(told)]
    asked = [json.loads(line)["text"] for line in _lines("cranfield/queries.jsonl")]
    made += [Row(text, 0, "cranfield", text) for text in asked]
    said = sorted(set(_said({"user"})))
    said = [text for text in said if len(text) < 400]
    return made + [Row(text, 0, "tau", text) for text in said[:600]]


def _lines(path: str) -> list[str]:
    return (folder() / path).read_text("utf-8").splitlines()


def _said(roles: set[str]) -> Iterator[str]:
    for run in read("tau_bench/gpt-4o-airline.trajectories.jsonl.gz"):
        for message in run["traj"]:
            if message["role"] in roles and message.get("content"):
                yield message["content"]


def attacks() -> list[Row]:
    """BIPIA's attacks on text, by their family."""
    found = read("bipia/text_attack_train.json.gz")
    return [Row(text, 1, "bipia", family) for family, texts in found.items() for text in texts]


def mails() -> list[tuple[str, str]]:
    """BIPIA's e-mails with their groups: those that share a sentence of some length belong
    together, as when one shop wrote them."""
    texts = [row["context"] for row in read("bipia/email_train.jsonl.gz")]
    held = [{one for one in cut(text) if len(one) > 25} for text in texts]
    group = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            if held[i] & held[j]:
                old, new = group[i], group[j]
                group = [new if one == old else one for one in group]
    return [(text, f"mail {group[i]}") for i, text in enumerate(texts)]


def documents() -> list[Row]:
    """Sentences of documents that order nobody: a manual, results of tools, an airline's rules."""
    rng = random.Random(1)  # noqa: S311
    pages = read("anyscale/corpus.jsonl.gz")
    made = []
    for page in rng.sample(pages, 400):
        made += [Row(text, 0, "anyscale", page["page"], 0.1) for text in cut(page["text"])[:8]]
    told = [text for long in sorted(set(_said({"tool", "assistant"})))[:1500] for text in cut(long)]
    made += [Row(text, 0, "tau", text, 0.3) for text in rng.sample(told, 1000)]
    abstracts = [json.loads(line)["text"] for line in _lines("cranfield/corpus.jsonl")]
    plain = [text for long in rng.sample(abstracts, 150) for text in cut(long)[:4]]
    made += [Row(text, 0, "cranfield", text, 0.3) for text in plain]
    offers = [json.loads(line)["input"] for line in _lines("product_attributes_oamine/train.jsonl")]
    made += [Row(text, 0, "oamine", text, 0.3) for text in rng.sample(offers, 200)]
    rules = (folder() / "tau_bench" / "wiki.md").read_text("utf-8")
    return made + [Row(text, 0, "tau", text, 0.3) for text in cut(rules)]


def orders() -> list[Row]:
    """What people ask of a model: what a document should not."""
    asked = sorted({row["input"] for row in read("llmbar/instances.jsonl.gz")})
    made = [Row(text, 1, "llmbar", text, 0.2) for text in asked if len(text) < 300]
    return made + [row._replace(label=1, weight=0.1) for row in bfcl()]


def cut(text: str) -> list[str]:
    """Its sentences of 15 to 400 characters."""
    spans = spans_of(text)
    edges = pairwise(sentences(chunks_of(text)))
    found = [text[spans[first][0] : spans[last - 1][1]] for first, last in edges]
    return [one for one in found if 15 <= len(one) <= 400]
