"""Errors that say who erred and what to do next. Knows HTTP status codes; knows no wire format."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class StockpotError(Exception):
    """Base of every error that a user may see.

    `code` is stable and machine-readable, `status` is the HTTP status it maps to, `hint` is the
    next step, a command where there is one.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}  ({self.hint})" if self.hint else self.message


class InvalidInput(StockpotError):
    code, status = "invalid_input", 422


class NotFound(StockpotError):
    code, status = "not_found", 404


class Conflict(StockpotError):
    code, status = "conflict", 409


class NotSignedIn(StockpotError):
    code, status = "not_signed_in", 401


class Forbidden(StockpotError):
    code, status = "forbidden", 403


class TooManyAttempts(StockpotError):
    code, status = "too_many_attempts", 429


class Unavailable(StockpotError):
    code, status = "unavailable", 503


class ConfigError(StockpotError):
    code, status = "config_error", 500


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with a leading space, or an empty string when nothing is near."""
    near = difflib.get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
