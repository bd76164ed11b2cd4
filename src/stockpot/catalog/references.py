"""Secrets by reference: `env:NAME` and `file:/path`, looked up where the control plane runs.

Knows how to look and what a secret looks like; keeps none, and tells none in an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stockpot.core.errors import InvalidInput

_MOST_BYTES = 10_000


class Unresolved(InvalidInput):
    """A reference that leads to no secret here."""


def resolve_secret(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret that a reference names. Raises Unresolved without telling what was found."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        found = environ.get(where, "")
        missing = f"the variable {where!r} is not set where the control plane runs"
    elif kind == "file":
        found, missing = _content(where), f"the file {where!r} cannot be read by the control plane"
    else:
        raise Unresolved(f"{reference!r} is no reference: env:NAME or file:/path")
    if not found.strip():
        raise Unresolved(missing)
    try:
        return clean_secret(found)
    except InvalidInput as wrong:
        raise Unresolved(f"what {reference!r} names is no secret: {wrong.message}") from None


def _content(where: str) -> str:
    try:
        with Path(where).open("rb") as file:
            return file.read(_MOST_BYTES + 1)[:_MOST_BYTES].decode("utf-8", "replace")
    except OSError:
        return ""


def clean_secret(secret: str) -> str:
    """A secret as it is kept. Raises InvalidInput for what could not be a header's value."""
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise InvalidInput("a secret is one line of printable ASCII characters")
    return secret
