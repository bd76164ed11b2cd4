"""Credentials of roles that a worker renews by itself when the control plane did not.

The control plane fetches them hours before their end and publishes them. While it is away nobody
does, and the upstream would refuse every call once they have ended; so in their last minutes each
worker asks where its own environment says that they are had, which is what a platform tells every
process beside the control plane. Nothing is written: the next snapshot says anew what holds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from stockpot.gateway.snapshot import TargetEntry, View
from stockpot.providers import AwsRoles, RoleFault

_log = logging.getLogger("stockpot.gateway.renewal")

EVERY_S = 10.0
LATE_S = 240.0
"""A worker asks when a credential ends sooner than this: AWS has a newer one five minutes before,
and the control plane would have told it by then."""

_decode = msgspec.json.Decoder(dict[str, str]).decode


def role_of(target: TargetEntry) -> tuple[str, float] | None:
    """The variable by which a target's credentials are had, and when they end (seconds since
    1970); None where they are no role's."""
    options = target.spec.options
    try:
        return options["role"], float(options["role_ends"])
    except (KeyError, ValueError):
        return None


def ends_of(view: View) -> float | None:
    """When the first of a view's credentials ends; None where none does."""
    return min((found[1] for t in view.targets.values() if (found := role_of(t))), default=None)


class Renewal:
    """Looks after the view that is in force. `clock` tells the seconds since 1970."""

    def __init__(self, roles: AwsRoles, clock: Callable[[], float] = time.time) -> None:
        self._roles = roles
        self._clock = clock
        self._told: dict[str, float] = {}

    async def run(self, view: Callable[[], View | None]) -> None:
        """Look again and again, for ever."""
        while True:
            await self.look(view())
            await asyncio.sleep(EVERY_S)

    async def look(self, view: View | None) -> None:
        """Give targets whose credentials end soon newer ones, where there are any."""
        late: dict[str, list[tuple[TargetEntry, float]]] = {}
        soon = self._clock() + LATE_S
        for target in view.targets.values() if view is not None else ():
            found = role_of(target)
            if found is not None and found[1] <= soon:
                late.setdefault(found[0], []).append((target, found[1]))
        if not late:
            return
        await self._roles.want(frozenset(late))
        for variable, targets in late.items():
            self._give(variable, targets)

    def _give(self, variable: str, targets: list[tuple[TargetEntry, float]]) -> None:
        ended = min(ends for _, ends in targets)
        try:
            had = _decode(self._roles.secret(variable))
        except RoleFault as fault:
            if self._told.get(variable) != ended:
                self._told[variable] = ended
                names = ", ".join(sorted({target.spec.provider for target, _ in targets}))
                when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ended))
                _log.warning("calls to %s fail from %s on: %s", names, when, fault.message)
            return
        had.pop("default_region", None)  # the control plane's counts
        for target, ends in targets:
            if float(had["role_ends"]) > ends:
                target.renew(had)
                _log.info("renewed the credentials of %s", target.id)
