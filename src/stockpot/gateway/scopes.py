"""Limits of each end user and of each model, within a key or a project. Knows gates by scope.

Users come without number: only so many are remembered, and those whose limits are whole again are
forgotten first, which loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stockpot.gateway.limits import Gate
from stockpot.gateway.models import Limits

if TYPE_CHECKING:
    from stockpot.gateway.models import Key, Project
    from stockpot.gateway.rates import RateDesk

USERS_MAX = 20_000
"""Remembered end users of all keys and projects of a worker."""


class Users:
    """The gates of end users, by scope."""

    __slots__ = ("_desk", "_gates", "_slots")

    def __init__(self, desk: RateDesk | None, slots: RateDesk | None) -> None:
        self._desk = desk
        self._slots = slots
        self._gates: dict[str, Gate] = {}

    def gate(self, scope: Scope, user: str) -> Gate:
        """The gate of one user in one scope; all who are not named are one user."""
        ident = f"user:{scope.ident}:{user}"
        gate = self._gates.get(ident)
        if gate is None:
            if len(self._gates) >= USERS_MAX:
                self._forget()
            who = f"end user {user!r}" if user else "unnamed users"
            name = f"{who} of {scope.name}"
            desks = {"desk": self._desk, "slots": self._slots}
            gate = Gate(scope.users, scope.share, scope=name, ident=ident, **desks)
            self._gates[ident] = gate
        else:
            gate.update(scope.users, scope.share)
        return gate

    def _forget(self) -> None:
        """Make room: whoever is idle goes, and if nobody is, the oldest tenth."""
        going = [ident for ident, gate in self._gates.items() if gate.idle]
        if not going:
            quiet = (ident for ident, gate in self._gates.items() if not gate.in_flight)
            going = [ident for ident, _ in zip(quiet, range(USERS_MAX // 10), strict=False)]
        for ident in going:
            self._gates.pop(ident).close()


class Scope(NamedTuple):
    """A key or a project whose end users or models have limits of their own."""

    ident: str
    name: str
    users: Limits
    models: dict[str, Gate]
    share: float
    known: Users

    def gates(self, user: str, model: str) -> tuple[Gate, ...]:
        found = []
        if any_limit(self.users):
            found.append(self.known.gate(self, user))
        gate = self.models.get(model)
        if gate is not None:
            found.append(gate)
        return tuple(found)


def any_limit(limits: Limits) -> bool:
    return bool(limits.rpm or limits.tpm or limits.concurrency)


def splits(owner: Key | Project) -> bool:
    """Whether users or models of this owner have limits of their own."""
    return any_limit(owner.user_limits) or any(any_limit(m.limits) for m in owner.model_limits)
