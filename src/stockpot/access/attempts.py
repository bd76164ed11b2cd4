"""How long a sign-in has to wait after failures. Pure arithmetic; knows no clock and no table.

Failures count per account and address together, per account from anywhere, and per address for any
account: neither one guesser nor many can go fast, and nobody can lock another person out for longer
than half a minute.
"""

from __future__ import annotations

from typing import NamedTuple

FORGET_AFTER_MS = 24 * 3600 * 1000


class Patience(NamedTuple):
    """So many failures are free; after that the wait doubles from two seconds to `longest_s`."""

    free: int
    longest_s: int

    def wait_ms(self, failures: int) -> int:
        if failures < self.free:
            return 0
        return min(self.longest_s, 2 << min(failures - self.free, 20)) * 1000


BOTH = Patience(free=3, longest_s=900)
ACCOUNT = Patience(free=30, longest_s=30)
ADDRESS = Patience(free=30, longest_s=900)


def scopes(account: str, address: str) -> dict[str, Patience]:
    """What a sign-in counts against."""
    return {
        f"both:{account}|{address}": BOTH,
        f"account:{account}": ACCOUNT,
        f"address:{address}": ADDRESS,
    }


def wait_ms(
    patience: dict[str, Patience], failures: dict[str, tuple[int, int]], now_ms: int
) -> int:
    """Milliseconds until the next attempt may be made; `failures` holds (count, time of last)."""
    waits = [
        last_ms + patience[scope].wait_ms(count) - now_ms
        for scope, (count, last_ms) in failures.items()
    ]
    return max([0, *waits])
