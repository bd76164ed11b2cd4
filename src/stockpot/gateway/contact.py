"""Whether a shared store answers, and when it is believed again after it was away.

Knows nanoseconds of a monotonic clock; knows no store and no limit.
"""

from __future__ import annotations


class Contact:
    """`away` from the first question that is not answered until `settle` nanoseconds after the
    first one that is: by then every worker has told what it admitted by itself. An absence shorter
    than that ends with its first answer: nobody can have admitted much."""

    __slots__ = ("_back", "_settle", "_went", "away")

    def __init__(self, settle: int) -> None:
        self.away = False
        self._settle = settle
        self._went = 0
        self._back: int | None = None

    def lost(self, now: int) -> bool:
        """No answer. Whether there was one until now."""
        self._back = None
        if self.away:
            return False
        self.away, self._went = True, now
        return True

    def heard(self, now: int) -> None:
        """An answer."""
        if self.away:
            if self._back is None:
                self._back = now
            short = self._back - self._went < self._settle
            self.away = not short and now - self._back < self._settle
