"""Rows by their content. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from stockpot.core.errors import InvalidInput
from stockpot.evals.models import Row


def hash_of(rows: Sequence[Row]) -> str:
    """The SHA-256 of rows. Raises InvalidInput where two have the same id."""
    twice = [name for name, count in Counter(row.id for row in rows).items() if count > 1]
    if twice:
        raise InvalidInput(f"{len(twice)} ids stand twice, such as {twice[0]!r}")
    plain = [row.model_dump(mode="json", exclude_defaults=True) for row in rows]
    return sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()
