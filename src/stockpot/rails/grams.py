"""A linear model over words, their letters and pairs of words, quick enough to run on each request.

A text is split at blanks into chunks and after full stops into sentences. What a chunk weighs
after another is a function of the two alone (the words in it, their runs of three to five letters,
hashed: fastText's subword features, Bojanowski et al. 2017, TACL 5:135; and the pair). What the
words weigh is remembered, so that a text costs one look-up and one hash a chunk. Hashes are CRC-32:
the same in every process. Knows weights; knows nothing of what they were trained to find, and no
file but those beside it.

Disguises are undone where a chunk is seen first: characters without width, Unicode tags, letters
of other scripts inside a Latin word, digits for letters, letters apart by dots, readable base64.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import chain, pairwise
from math import exp, inf, log, sqrt
from operator import mul, sub
from typing import NamedTuple
from zlib import crc32, decompress

import msgspec

from stockpot.rails.folding import LOOKS_LIKE

VERSION = 1
DAMPING = 2.0
"""Added to the number of chunks before the root is taken, so that two words alone prove little."""
GAIN = 0.25
LINE = "¶"
"""The chunk that stands for the end of a line."""

_SIZES = (3, 4, 5)
_CAPS = crc32(b"CAPS")
_REMEMBERED = 30_000
_LONGEST = 48
_PIECE = 24
"""A sentence of more than 48 chunks is looked at in pieces of 24: what has no full stop is not
diluted either."""

_LONGEST_TOKEN = 32
_TOKEN = re.compile(r"\w{1,32}|[.!?:;]{1,8}|[^\w\s.!?:;]{1,4}")
_SPANS = re.compile(r"\n|\S+")
_ENDING = re.compile(r"[.!?:;][\"'”’)\]*]*\Z|[a-z)][.!?][A-Z]|\A(?:\||\\n|¶)\Z|\\n")
_START = "."
_STOPS = frozenset(".!?:;|¶")
_LEET = str.maketrans("013457@$", "oieastas")
_UNSEEN = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
     *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)],
    "",
)  # fmt: skip
_UNSEEN |= {code: chr(code - 0xE0000) for code in range(0xE0020, 0xE007F)}
_HINT = re.compile(r" \w \w \w \w")
_APART = re.compile(r"\w(?: \w(?!\w)){5,}")
_DOTTED = re.compile(r"(?:\w[-._*]){4,}\w[.!?]?")
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


class GramModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trained model as it is kept: `table` holds 2**bits signed bytes, packed by zlib, each a
    weight in units of `scale`. `seen` are the CRC-32s (4 bytes each, sorted) of the texts that it
    was trained on, so that a measurement on them can say so."""

    rail: str
    bits: int
    scale: float
    bias: float
    threshold: float
    table: bytes
    about: str = ""
    seen: bytes = b""
    version: int = VERSION


class Weighed(NamedTuple):
    """The sentences of a text: `edges[i]` up to `edges[i + 1]` are the chunks of the one whose
    weights add up to `sums[i]`."""

    edges: Sequence[int]
    sums: Sequence[int]


def chunks_of(text: str) -> list[str]:
    """A text as it is weighed: split at blanks, with the ends of lines."""
    return together(text).replace("\n", f" {LINE} ").split()


def spans_of(text: str) -> list[tuple[int, int]]:
    """Start and end of each of its chunks."""
    return [match.span() for match in _SPANS.finditer(together(text))]


def stretch_of(text: str, chunks: Sequence[str], first: int, last: int) -> tuple[int, int]:
    """Where chunks `first` up to `last` (without it) of a text's `chunks` stand in it."""
    if LINE in text:  # which might be an end of a line, or might not
        spans = spans_of(text)
        return spans[first][0], spans[last - 1][1]
    lines = together(text).split("\n")
    return _place(lines, chunks, first), _place(lines, chunks, last - 1) + len(chunks[last - 1])


def _place(lines: Sequence[str], chunks: Sequence[str], number: int) -> int:
    before = chunks[:number]
    ended = before.count(LINE)
    line = lines[ended]
    at = sum(map(len, lines[:ended])) + ended
    if chunks[number] == LINE:
        return at + len(line)
    words = before[::-1].index(LINE) if ended else number
    return at + len(line) - len(line.split(None, words)[-1])


def together(text: str) -> str:
    """Letters written apart (`i g n o r e`) joined, with the blanks behind them: it stays as long
    as it was."""
    if _HINT.search(text) is None:
        return text
    return _APART.sub(lambda found: found[0].replace(" ", "").ljust(len(found[0])), text)


def sentences(chunks: Sequence[str]) -> list[int]:
    """The edges of the sentences; a very long one is cut into pieces."""
    starts = [i for i, (before, _) in enumerate(steps(chunks)) if is_end(before)]
    return _cut(starts, len(chunks))


def _cut(starts: list[int], count: int) -> list[int]:
    edges = [*starts, count]
    if count <= _LONGEST or max(map(sub, edges[1:], edges)) <= _LONGEST:
        return edges
    made: list[int] = []
    for first, last in pairwise(edges):
        step = _PIECE if last - first > _LONGEST else last - first
        made += range(first, last, step)
    return [*made, count]


def steps(chunks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each chunk with the one before it; the first with the start of a sentence."""
    return zip(chain((_START,), chunks), chunks, strict=False)


def is_end(chunk: str) -> bool:
    """Whether a sentence ends with this chunk, or (`e-mail.If`) inside it."""
    return _ENDING.search(chunk) is not None


def step_grams(before: str, chunk: str, bits: int) -> list[int]:
    """The hashed features of a chunk that follows another."""
    mask = (1 << bits) - 1
    tokens = _tokens(chunk)
    if not tokens:
        return []
    earlier = (_tokens(before) or [_START])[-1]
    pair = f"{_shape(earlier)} {_shape(tokens[0])}".encode("utf-8", "replace")
    return [gram & mask for gram in (*inner_grams(tokens), crc32(pair))]


def inner_grams(tokens: Sequence[str]) -> list[int]:
    """The hashed features of a chunk's words, and of their pairs inside it."""
    grams = [gram for token in tokens for gram in _word_grams(token)]
    return [*grams, *_pairs(tokens)] if len(tokens) > 1 else grams


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _pairs(tokens: Sequence[str]) -> list[int]:
    return [crc32(_bytes(f"{_shape(one)} {_shape(two)}")) for one, two in pairwise(tokens)]


def _tokens(chunk: str) -> list[str]:
    if chunk == LINE:
        return []
    if not chunk.isascii():
        chunk = chunk.translate(_UNSEEN)
    if _DOTTED.fullmatch(chunk):
        chunk = re.sub(r"(?<=\w)[-._*](?=\w)", "", chunk)
    return _TOKEN.findall(chunk)


def _word_grams(token: str) -> list[int]:
    word = _folded(token)
    padded = f"<{word}>"
    count = len(padded) + 1
    if word.isascii():  # a letter is a byte, and a slice of bytes need not be encoded
        data = padded.encode()
        grams = [crc32(data[at : at + n]) for n in _SIZES for at in range(count - n)]
    else:
        grams = [crc32(_bytes(padded[at : at + n])) for n in _SIZES for at in range(count - n)]
    grams.append(crc32(_bytes(f"w{word}")))
    if len(token) > 3 and token.isupper():
        grams.append(_CAPS)
    return grams


def _folded(token: str) -> str:
    if token.isascii() and token.isalpha():
        return token.lower()
    word = unicodedata.normalize("NFKC", token).casefold()
    if not word.isascii() and any(letter.isascii() and letter.isalpha() for letter in word):
        word = "".join([LOOKS_LIKE.get(letter, letter) for letter in word])
    if len(word) > 3 and not word.isalpha() and sum(map(str.isalpha, word)) > 1:
        word = word.translate(_LEET)
    return word


def _shape(token: str) -> str:
    return LINE if token[0] in _STOPS else _folded(token)


def normalizer(chunks: int) -> float:
    """What the sum of so many chunks is multiplied by."""
    return GAIN / sqrt(chunks + DAMPING)


def probability(z: float) -> float:
    """The logistic function, for any number."""
    return 1.0 / (1.0 + exp(-z)) if z > -700.0 else 0.0


def log_odds(probability: float) -> float:
    """The inverse of `probability`; what lies outside of 0 to 1 is never, or always, reached."""
    if 0.0 < probability < 1.0:
        return log(probability / (1.0 - probability))
    return -inf if probability <= 0.0 else inf


def unpacked(chunk: str) -> str:
    """What a chunk of base64 says; "" for what is none or not readable."""
    match = _PACKED.search(chunk) if len(chunk) >= 24 else None
    if match is None:
        return ""
    piece = match[0].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return content if content.isprintable() and " " in content else ""


class _Rare(NamedTuple):
    """Whether a sentence ends with a chunk, what it weighs at least for what it hides, and a head
    that is too long for shifts."""

    end: bool
    least: int | None = None
    head: bytes = b""


_Chunk = tuple[int, int, int, tuple[int, ...], _Rare | None]
"""What a chunk weighs whatever stands before it: `own`, `size`, `code`, `shifts`, `rare`; a plain
tuple, which is unpacked in a third of the time.

CRC-32 goes on where it stopped and is linear, so that the hash of a pair is `code`, that of the
chunk's head, with that of the tail before it moved by `size` bytes: an entry of that one's
`shifts`. `size` and `code` are 0 without a word in it, or where `rare` has the head. `rare` is what
few chunks have."""

_MOVES = tuple((bytes(n), crc32(bytes(n))) for n in range(1, 12))


def _shifts(shape: bytes, mask: int) -> tuple[int, ...]:
    """The hash of the end of a chunk moved by 1, 2, ... bytes, and last as it is; first the place
    in the table that weighs nothing."""
    tail = crc32(shape + b" ")
    return (mask + 1, *[(crc32(zeros, tail) ^ none) & mask for zeros, none in _MOVES], tail)


class _Chunks(dict[str, _Chunk]):
    """Chunks that were seen: a word comes again much oftener than a pair of words does."""

    def __init__(self, table: Sequence[int], bits: int) -> None:
        self._table, self._mask = table, (1 << bits) - 1
        self._words: dict[str, tuple[int, bytes]] = {}
        """Of each word its weight, and its shape in pairs."""
        self._tails: dict[bytes, tuple[int, ...]] = {}
        self._start = _shifts(_bytes(LINE), self._mask)
        """Of the start of a text, and of a chunk without a word."""

    def __missing__(self, chunk: str) -> _Chunk:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[chunk] = self._made(chunk)
        return made

    def sums(self, chunks: Sequence[str]) -> tuple[list[int], list[int]]:
        """What the chunks up to each place weigh together, and where sentences begin."""
        table, mask, before = self._table, self._mask, self._start
        total, starts, until = 0, [0], [0]
        keep = until.append
        for own, size, code, shifts, rare in map(self.__getitem__, chunks):
            total += own + table[code ^ before[size]]
            if rare is not None:
                if rare.head:
                    total += table[crc32(rare.head, before[-1]) & mask]
                if rare.least is not None:
                    total = max(total, until[-1] + rare.least)
                if rare.end:
                    starts.append(len(until))
            before = shifts
            keep(total)
        if starts[-1] == len(chunks):
            starts.pop()
        return until, starts

    def _made(self, chunk: str) -> _Chunk:
        plain = chunk.isascii() and chunk.isalnum() and len(chunk) <= _LONGEST_TOKEN
        tokens = [chunk] if plain else _tokens(chunk)
        end = not plain and is_end(chunk)
        if not tokens:
            return 0, 0, 0, self._start, _Rare(end) if end else None
        words = [self._word(token) for token in tokens]
        own = sum([weight for weight, _ in words])
        if len(words) > 1:
            table, mask = self._table, self._mask
            pairs = [one + b" " + two for (_, one), (_, two) in pairwise(words)]
            own += sum([table[crc32(pair) & mask] for pair in pairs])
        head, least = words[0][1], self._hidden(chunk)
        long = len(head) > len(_MOVES)
        rare = (
            _Rare(end, least, head if long else b"") if end or long or least is not None else None
        )
        size, code = (0, 0) if long else (len(head), crc32(head) & self._mask)
        return own, size, code, self._tail(words[-1][1]), rare

    def _tail(self, shape: bytes) -> tuple[int, ...]:
        known = self._tails.get(shape)
        if known is None:
            if len(self._tails) >= _REMEMBERED:
                self._tails.clear()
            known = self._tails[shape] = _shifts(shape, self._mask)
        return known

    def _hidden(self, chunk: str) -> int | None:
        """What the text inside a chunk weighs, as if it were one chunk."""
        content = unpacked(chunk).split()
        if not content:
            return None
        inside = self.sums(content)[0][-1]
        return round(inside * normalizer(len(content)) / normalizer(1))

    def _word(self, token: str) -> tuple[int, bytes]:
        known = self._words.get(token)
        if known is None:
            if len(self._words) >= _REMEMBERED:
                self._words.clear()
            table, mask = self._table, self._mask
            weight = sum([table[gram & mask] for gram in _word_grams(token)])
            known = self._words[token] = weight, _bytes(_shape(token))
        return known


class Scorer:
    """Weighs texts by a model. Threads may share it."""

    def __init__(self, model: GramModel) -> None:
        self.model = model
        table = array("b", decompress(model.table))
        if len(table) != 1 << model.bits:
            raise ValueError(f"the table has {len(table)} weights, not 2**{model.bits}")
        self._chunks = _Chunks([*table, 0], model.bits)
        self._factors = _Factors(model.scale)

    def weigh(self, chunks: Sequence[str]) -> Weighed:
        """The sentences with their sums."""
        if not chunks:
            return Weighed([0], [])
        until, starts = self._chunks.sums(chunks)
        edges = _cut(starts, len(chunks))
        sums = [until[edge] for edge in edges]
        return Weighed(edges, list(map(sub, sums[1:], sums)))

    def logits(self, weighed: Weighed) -> list[float]:
        """What each sentence says, as log odds; `probability` makes them scores."""
        edges, sums = weighed
        factors = map(self._factors.__getitem__, map(sub, edges[1:], edges))
        return list(map(self.model.bias.__add__, map(mul, sums, factors)))

    def logit(self, total: int, chunks: int) -> float:
        """What a sum over so many chunks says."""
        return total * self._factors[chunks] + self.model.bias

    def least_sum(self, z: float, chunks: int) -> float:
        """What a sum over so many chunks must be to say at least so much."""
        return (z - self.model.bias) / self._factors[chunks]


class _Factors(dict[int, float]):
    """By the number of chunks: what a sum is multiplied by."""

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def __missing__(self, chunks: int) -> float:
        factor = self._scale * normalizer(chunks)
        if len(self) < _LONGEST * 100:
            self[chunks] = factor
        return factor


def decode(data: bytes) -> GramModel:
    """A kept model. Raises ValueError for what is none, or of another version."""
    try:
        model = msgspec.msgpack.decode(data, type=GramModel)
    except msgspec.MsgspecError as error:
        raise ValueError(f"this is no n-gram model: {error}") from None
    if model.version != VERSION:
        raise ValueError(f"an n-gram model of version {model.version}; this release reads 1")
    return model


@lru_cache(maxsize=32)
def scorer_of(data: bytes) -> Scorer:
    """The scorer of a kept model, once for each."""
    return Scorer(decode(data))


@lru_cache
def shipped(name: str) -> bytes:
    """A model that comes with stockpot: `injection`, `indirect_injection`, and each with
    `.heldout`, trained without the sets that it is measured on."""
    return files("stockpot.rails").joinpath("trained", f"{name}.model").read_bytes()


@lru_cache
def shipped_folds(name: str) -> tuple[bytes, ...]:
    """Models like the shipped one, each trained without one part of the texts."""
    return tuple(msgspec.msgpack.decode(shipped(f"{name}.folds"), type=list[bytes]))


@lru_cache(maxsize=32)
def seen_by(data: bytes) -> frozenset[bytes]:
    """The fingerprints of the texts that a kept model was trained with."""
    kept = decode(data).seen
    return frozenset(kept[i : i + 4] for i in range(0, len(kept), 4))


def fingerprint(text: str) -> bytes:
    """What `GramModel.seen` keeps of a text: 4 bytes, of its words alone."""
    words = " ".join(re.findall(r"\w+", text.casefold()))
    return crc32(words.encode("utf-8", "replace")).to_bytes(4, "big")
