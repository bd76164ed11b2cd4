"""Export MiniLM-L6-v2 to GGUF and prove that llama.cpp computes what the original computes.

    python scripts/export_minilm.py convert FOLDER OUT.gguf      what `stockpot models pull` does
    python scripts/export_minilm.py reference FOLDER OUT.json    vectors of the original (see below)
    python scripts/export_minilm.py check OUT.json URL           cosine of a running server to them

FOLDER holds the published model (`config.json`, `vocab.txt`, `model.safetensors`, ...). `reference`
runs the authors' own code path and needs torch and transformers, in an environment of its own: the
product never does. Its output is checked in as a test fixture.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import struct
import urllib.request
from pathlib import Path
from typing import Any

SENTENCES = (
    "A rainy Sunday calls for soup.",
    "The chef sharpens her knives before dawn.",
    "How do I cancel my reservation for tomorrow evening?",
    "Please refund order 48213, the parcel never arrived.",
    "Gluten-free pasta with basil and lemon",
    "gluten free PASTA, with Basil & Lemon!",
    "The mitochondrion is the powerhouse of the cell.",
    "Interest rates rose by 0.25 percentage points in March 2024.",
    "def add(a, b): return a + b",
    "SELECT name FROM menu WHERE price < 12 ORDER BY name;",
    "Café au lait, crème brûlée and jalapeño.",
    "Der Koch würzt die Suppe mit Lorbeer.",
    "寿司はとても美味しいです。",
    "Она варит борщ по воскресеньям.",
    "I love it 😍 but shipping took 3 weeks…",
    "https://example.com/menu?id=42&lang=en#top",
    "no",
    "antidisestablishmentarianism",
    "The quick brown fox jumps over the lazy dog, then sleeps in the sun until the evening bell.",
    "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the "
    "slings and arrows of outrageous fortune, or to take arms against a sea of troubles.",
    "   Leading, trailing   and\tinner\nwhite space   ",
    "Cats sleep.",
    "Kittens nap.",
    "Quarterly revenue beat expectations.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run, arguments in (
        ("convert", _convert, ("folder", "out")),
        ("reference", _reference, ("folder", "out")),
        ("check", _check, ("reference", "url")),
    ):
        command = commands.add_parser(name)
        for argument in arguments:
            command.add_argument(argument)
        command.set_defaults(run=run)
    options = vars(parser.parse_args())
    options.pop("run")(**options)


def _convert(folder: str, out: str) -> None:
    from stockpot.engines.minilm import convert

    convert(Path(folder), Path(out), name="minilm-l6-v2")
    print(f"{out}: {Path(out).stat().st_size} bytes")


def _reference(folder: str, out: str) -> None:
    import torch
    from transformers import BertModel, BertTokenizerFast

    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()
    rows = []
    for text in SENTENCES:  # one at a time: padding would add nothing but rounding
        batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        vector = torch.nn.functional.normalize(mean, dim=1)[0].tolist()
        rows.append(
            {"text": text, "tokens": int(mask.sum()), "vector": [round(x, 6) for x in vector]}
        )
    document = {"model": "sentence-transformers/all-MiniLM-L6-v2", "rows": rows}
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    Path(out).write_text(f'{{"model": "{document["model"]}", "rows": [\n{lines}\n]}}\n', "utf-8")
    print(f"{out}: {len(rows)} vectors")


def _check(reference: str, url: str) -> None:
    rows = json.loads(Path(reference).read_text("utf-8"))["rows"]
    worst = min((cosine(row["vector"], _embed(url, row["text"])), row["text"]) for row in rows)
    print(f"{len(rows)} sentences, worst cosine {worst[0]:.6f}: {worst[1]!r}")
    if worst[0] < 0.999:
        raise SystemExit(1)


def _embed(url: str, text: str) -> list[float]:
    body = json.dumps({"model": "minilm-l6-v2", "input": text, "encoding_format": "base64"})
    request = urllib.request.Request(  # noqa: S310 - a URL that the developer typed
        f"{url.rstrip('/')}/embeddings", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        document: dict[str, Any] = json.load(answer)
    raw = base64.b64decode(document["data"][0]["embedding"])
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def cosine(a: list[float], b: list[float]) -> float:
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))


if __name__ == "__main__":
    main()
