"""Near-duplicates are found without comparing each text with each, and told exactly."""

from __future__ import annotations

import random
import time

from stockpot.stats.near import near_pairs, shingles

WORDS = [
    "soup",
    "leek",
    "bread",
    "butter",
    "table",
    "guest",
    "late",
    "cold",
    "warm",
    "menu",
    "price",
]


def text(rng: random.Random, words: int = 40) -> str:
    return " ".join(rng.choice(WORDS) + str(rng.randrange(50)) for _ in range(words))


def test_pairs_are_those_of_comparing_each_with_each() -> None:
    rng = random.Random(3)
    texts = [text(rng) for _ in range(60)]
    texts += [f"{one} {rng.randrange(9)}" for one in texts[:20]]
    sets = [shingles(one) for one in texts]
    expected = {
        (i, j)
        for j in range(len(texts))
        for i in range(j)
        if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8
    }
    found = near_pairs(texts)
    assert len(expected) >= 20
    assert {(pair.one, pair.other) for pair in found} == expected


def test_case_accents_and_white_space_do_not_count() -> None:
    (pair,) = near_pairs(["Crème  brûlée, please", "creme brulee,\nPLEASE", "leek soup"])
    assert (pair.one, pair.other, pair.similarity) == (0, 1, 1.0)
    assert near_pairs(["", "", "a"])[0].similarity == 1.0


def test_a_thousand_different_texts_are_checked_at_once() -> None:
    rng = random.Random(5)
    begin = time.process_time()
    assert near_pairs([text(rng) for _ in range(1000)]) == []
    assert time.process_time() - begin < 10
