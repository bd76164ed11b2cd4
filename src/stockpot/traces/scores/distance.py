"""How many characters must be inserted, deleted or replaced to turn one text into another.

Levenshtein's distance by bit vectors (G. Myers, J. ACM 46(3), 1999; H. Hyyro, 2003): one row of the
table is one whole number, so that Python's own arithmetic does the work of a compiled loop.
Knows texts alone.
"""

from __future__ import annotations

MOST = 8_000
"""Characters of each text that are compared; what lies beyond is left out."""


def edit_distance(one: str, other: str) -> int:
    """The distance between the first `MOST` characters of two texts."""
    pattern, text = sorted((one[:MOST], other[:MOST]), key=len)
    if not pattern:
        return len(text)
    where: dict[str, int] = {}
    for index, character in enumerate(pattern):
        where[character] = where.get(character, 0) | 1 << index
    mask, last = (1 << len(pattern)) - 1, 1 << len(pattern) - 1
    up, down, score = mask, 0, len(pattern)
    for character in text:
        equal = where.get(character, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        right = down | ~(diagonal | up) & mask
        left = diagonal & up
        score += (right & last != 0) - (left & last != 0)
        right = right << 1 | 1
        up = (left << 1 | ~(diagonal | right)) & mask
        down = diagonal & right & mask
    return score


def edit_share(one: str, other: str) -> float:
    """The distance over the length of the longer text: 0 for the same, 1 for nothing alike."""
    longest = max(len(one[:MOST]), len(other[:MOST]))
    return edit_distance(one, other) / longest if longest else 0.0
