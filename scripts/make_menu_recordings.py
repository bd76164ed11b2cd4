"""Write the demo's questions about the menus and what three recorded models answer to them.

    python scripts/make_menu_recordings.py tests/fixtures/menu.jsonl src/stockpot/up/demo

`chef-large` answers well and costs much, `chef-small` answers as well and costs little,
`chef-tiny` costs nearly nothing and forgets what matters. All text is our own; which answers have
a flaw is drawn from a hash, so the files come out the same each time.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Item = dict[str, Any]


class Model(NamedTuple):
    """How a recorded model answers: how often it forgets something, how long it talks and takes."""

    name: str
    forgets: float
    opening: str
    closing: str
    latency_ms: tuple[int, int]


MODELS = (
    Model("chef-large", 0.05, "Happy to help. ", " Tell me if you would like a suggestion that "
          "goes with it, or a dish with other ingredients.", (420, 780)),
    Model("chef-small", 0.03, "", " Enjoy your meal.", (110, 240)),
    Model("chef-tiny", 0.35, "", "", (40, 90)),
)  # fmt: skip


class Asked(NamedTuple):
    """A question, the facts that belong into its answer, and an answer made of them."""

    kind: str
    text: str
    facts: list[str]
    sentences: list[str]


def listed(things: list[str]) -> str:
    """`a, b and c`."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"


def asked_about(item: Item) -> Iterator[Asked]:
    """Seven questions about one dish."""
    name, price = item["name"], f"${item['price']:.2f}"
    parts, allergens = list(item["ingredients"]), list(item["allergens"])
    diet = item["diet"][0] if item["diet"] else ""
    warned = [f"It contains {a}." for a in allergens] or ["It has no declared allergens."]
    harmful = allergens or ["no declared allergens"]
    yield Asked("describe", f"Describe the {name} for our menu, with its allergens.",
                [*parts, *harmful], [f"{name} from {item['restaurant']}.",
                *(f"Made with {part}." for part in parts), *warned])  # fmt: skip
    yield Asked("ingredients", f"What is in the {name}?", parts,
                [f"There is {part} in it." for part in parts])  # fmt: skip
    yield Asked("allergens", f"Which allergens does the {name} have?", harmful, warned)
    yield Asked("price", f"How much is the {name} at {item['restaurant']}?", [price, name],
                [f"The {name}", f"is {price}."])  # fmt: skip
    answer = f"It is {diet}." if diet else "It is not vegetarian."
    yield Asked("diet", f"Is the {name} vegetarian or vegan?",
                [diet or "not vegetarian", parts[0]],
                [answer, f"It is made with {parts[0]}."])  # fmt: skip
    feared = allergens[0] if allergens else "peanut"
    safe = f"contains {feared}" if allergens else f"no {feared}"
    yield Asked("safety", f"My guest is allergic to {feared}. Can they have the {name}?",
                [safe, "kitchen"],
                [f"The {name} {'contains' if allergens else 'has'} "
                 f"{feared if allergens else f'no {feared}'} in its recipe.",
                 "Please tell the kitchen about the allergy."])  # fmt: skip
    yield Asked("listing", f"Write a short line on the {name} for the delivery app.",
                [name, *parts[:2], price],
                [f"{name}:", *(f"with {part}," for part in parts[:2]), f"{price}."])  # fmt: skip


def drawn(*parts: str) -> float:
    """A number of [0, 1) that these texts decide."""
    digest = hashlib.sha256("\t".join(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def answer_of(model: Model, asked: Asked) -> str:
    """What a model says: the sentences, but for those that it forgets."""
    kept = [
        sentence
        for place, sentence in enumerate(asked.sentences)
        if drawn(model.name, asked.text, str(place)) >= model.forgets
    ]
    if not kept:
        kept = ["It is one of our most popular choices!"]
    return f"{model.opening}{' '.join(kept)}{model.closing}"


def line_of(model: Model, asked: Asked) -> dict[str, Any]:
    """One line of a recording."""
    low, high = model.latency_ms
    answer = answer_of(model, asked)
    took = low + round((high - low) * drawn(model.name, asked.text, "time"))
    return {
        "question": asked.text, "answer": answer, "latency_ms": took,
        "ttft_ms": round(took * 0.35), "finish_reason": "stop",
        "usage": {"prompt_tokens": 40 + len(asked.text) // 4,
                  "completion_tokens": max(1, len(answer) // 4)},
    }  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]]) -> None:
    """JSON lines."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")


def main(menu: str, folder: str) -> None:
    """Write the rows and one recording for each model."""
    items = [json.loads(line) for line in Path(menu).read_text("utf-8").splitlines()]
    questions = [(item, asked) for item in items for asked in asked_about(item)]
    rows = [
        {"id": f"{item['id']}-{asked.kind}", "input": {"question": asked.text},
         "expected": asked.facts,
         "metadata": {"item": item["id"], "kind": asked.kind, "restaurant": item["restaurant"]}}
        for item, asked in questions
    ]  # fmt: skip
    Path(folder).mkdir(parents=True, exist_ok=True)
    written(Path(folder) / "questions.jsonl", rows)
    for model in MODELS:
        lines = [line_of(model, asked) for _, asked in questions]
        written(Path(folder) / f"{model.name}.jsonl", lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
