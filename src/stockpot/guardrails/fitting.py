"""Fitting n-gram models of `stockpot.rails.grams`. Knows texts and labels; knows no store and no
tenant.

Logistic regression with an L2 penalty on texts of several windows (multiple instances): a text is
an attack when one of its windows is, so that of an attack only the window that the model finds
worst counts, and of a harmless text each window does (Andrews, Tsochantaridis and Hofmann 2002,
NIPS 15, mi-SVM, with the logistic loss). A refit starts from given weights and penalises the
distance from them, which is the posterior mode under a normal prior around the base model.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from stockpot.rails.grams import (
    GramModel,
    chunks_of,
    fingerprint,
    normalizer,
    sentences,
    step_grams,
    steps,
)
from stockpot.rails.ngram import SHORT, runs

Floats = NDArray[np.float64]
Matrix = Any
"""scipy.sparse.csr_matrix, which has no types of its own."""

BITS = 17
ROUNDS = 3
"""How often the worst windows are chosen anew. A base model knows them from the start."""


class Bags(NamedTuple):
    """Windows of texts as rows of features; `text` is the number of each row's text. Rows of one
    text stand together, and every text has at least one."""

    rows: Matrix
    text: NDArray[np.intp]
    texts: int


class Weights(NamedTuple):
    """A linear model before it is packed."""

    table: Floats
    bias: float


class Problem(NamedTuple):
    """Texts with labels (1 is an attack) and with weights: how much each counts."""

    bags: Bags
    labels: NDArray[np.intp]
    weights: Floats


def bags_of(texts: Sequence[str], rail: str) -> Bags:
    """The windows that the rail looks at, as the features that it sees."""
    grams: list[Counter[int]] = []
    windows: list[tuple[int, int]] = []
    numbers: list[int] = []
    for number, text in enumerate(texts):
        begin = len(grams)
        chunks = chunks_of(text)
        grams += [Counter(step_grams(*step, BITS)) for step in steps(chunks)]
        edges = sentences(chunks)
        if rail == "injection":
            made = list(runs(edges))
        else:
            cut = list(pairwise(edges))
            made = [(first, last) for first, last in cut if last - first >= SHORT] or cut
        made = made or [(0, 0)]
        windows += [(begin + first, begin + last) for first, last in made]
        numbers += [number] * len(made)
    return Bags(_windowed(windows, grams), np.array(numbers), len(texts))


def _windowed(windows: list[tuple[int, int]], grams: list[Counter[int]]) -> Matrix:
    """Rows of windows: the sums of their chunks' counts, times the window's factor."""
    starts = np.cumsum([0, *map(len, grams)])
    columns = np.fromiter((gram for one in grams for gram in one), np.intp)
    counts = np.fromiter((count for one in grams for count in one.values()), np.float64)
    cut = sp.csr_matrix((counts, columns, starts), shape=(len(grams), 1 << BITS))
    sizes = np.array([last - first for first, last in windows])
    factor = np.repeat([normalizer(int(size)) for size in sizes], sizes)
    column = np.fromiter((i for first, last in windows for i in range(first, last)), np.intp)
    ends = np.cumsum([0, *sizes])
    taken = sp.csr_matrix((factor, column, ends), shape=(len(windows), len(grams)))
    return (taken @ cut).tocsr()


def joined(first: Problem, second: Problem) -> Problem:
    """Both, one after the other."""
    bags = Bags(
        sp.vstack([first.bags.rows, second.bags.rows]).tocsr(),
        np.concatenate([first.bags.text, second.bags.text + first.bags.texts]),
        first.bags.texts + second.bags.texts,
    )
    labels = np.concatenate([first.labels, second.labels])
    return Problem(bags, labels, np.concatenate([first.weights, second.weights]))


def part(problem: Problem, chosen: NDArray[np.bool_]) -> Problem:
    """The texts that are chosen."""
    rows = chosen[problem.bags.text]
    number = np.cumsum(chosen) - 1
    bags = Bags(problem.bags.rows[rows], number[problem.bags.text[rows]], int(chosen.sum()))
    return Problem(bags, problem.labels[chosen], problem.weights[chosen])


def scores(bags: Bags, model: Weights) -> Floats:
    """The log odds of each text's worst window."""
    found = np.full(bags.texts, -np.inf)
    np.maximum.at(found, bags.text, bags.rows @ model.table + model.bias)
    return found


def fit(problem: Problem, penalty: float, base: Weights | None = None) -> Weights:
    """The model of least loss; with a base, the least change to it that the texts ask for."""
    rows, text, texts = problem.bags
    start = rows @ base.table + base.bias if base is not None else np.zeros(rows.shape[0])
    sizes = np.bincount(text, minlength=texts)
    harmless = np.flatnonzero(problem.labels[text] == 0)
    now = start if base is not None else -np.arange(rows.shape[0], dtype=np.float64)
    change = Weights(np.zeros(rows.shape[1]), 0.0)
    for _ in range(ROUNDS if base is None else 1):
        attacks = _worst(text, now, problem.labels)
        chosen = np.concatenate([attacks, harmless])
        labels = np.repeat([1.0, -1.0], [len(attacks), len(harmless)])
        weights = problem.weights[text[chosen]]
        weights[len(attacks) :] /= np.sqrt(sizes[text[harmless]])
        change = _minimum(rows[chosen], labels, weights, start[chosen], penalty)
        now = start + rows @ change.table + change.bias
    if base is None:
        return change
    return Weights(base.table + change.table, base.bias + change.bias)


def _worst(text: NDArray[np.intp], now: Floats, labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each attack the row that looks most like one."""
    order = np.lexsort((-now, text))
    first = order[np.r_[True, text[order][1:] != text[order][:-1]]]
    found: NDArray[np.intp] = first[labels[text[first]] == 1]
    return found


def _minimum(
    rows: Matrix, labels: Floats, weights: Floats, start: Floats, penalty: float
) -> Weights:
    """Weighted logistic loss with an L2 penalty, by L-BFGS (Liu and Nocedal 1989). A feature that
    no row has keeps the weight 0."""
    width = rows.shape[1]
    used = np.unique(rows.indices)
    rows = rows[:, used]

    def loss(point: Floats) -> tuple[float, Floats]:
        margin = labels * (rows @ point[:-1] + point[-1] + start)
        pull = -weights * labels / (1.0 + np.exp(np.clip(margin, -30.0, 30.0)))
        value = weights @ np.logaddexp(0.0, -margin) + 0.5 * penalty * point[:-1] @ point[:-1]
        return float(value), np.append(rows.T @ pull + penalty * point[:-1], pull.sum())

    found = scipy.optimize.minimize(
        loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60}
    ).x
    table = np.zeros(width)
    table[used] = found[:-1]
    return Weights(table, float(found[-1]))


def unpacked(model: GramModel) -> Weights:
    """A kept model's weights."""
    table = np.frombuffer(zlib.decompress(model.table), np.int8)
    return Weights(table.astype(np.float64) * model.scale, model.bias)


def packed(
    rail: str, model: Weights, threshold: float, about: str, seen: Sequence[str] = ()
) -> GramModel:
    """A model as it is kept: weights in 255 steps, the largest in ten thousand cut off."""
    ends = np.abs(model.table[model.table != 0])
    scale = float(np.quantile(ends, 0.9999)) / 127 if ends.size else 1.0
    table = np.clip(np.rint(model.table / scale), -127, 127).astype(np.int8)
    known = b"".join(sorted({fingerprint(text) for text in seen}))
    return GramModel(
        rail, BITS, scale, model.bias, threshold, zlib.compress(table.tobytes(), 9), about, known
    )
