"""Watching a release on its first worker. Knows heartbeats' figures and time; decides by `watch`.

A worker that does not take the release, or that falls silent during the watch, counts as harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from stockpot.revisions.keeper import Keeper, Seen
from stockpot.revisions.models import Change, Revision, Watched
from stockpot.revisions.tally import Tally, together
from stockpot.revisions.watch import Groups, Verdict, verdict

LOOK_EVERY_S = 0.25
TAKEN_WITHIN_S = 15.0
SILENT_S = 10.0

_log = logging.getLogger("stockpot.revisions")


class Terms(NamedTuple):
    """How to release: at once, or watched for so long and so many calls; holds that it lifts."""

    now: bool
    watch_s: float
    min_calls: int
    lift: tuple[str, ...] = ()


class Watch:
    """One release under watch."""

    def __init__(
        self,
        keeper: Keeper,
        revision: Revision,
        changes: Sequence[Change],
        terms: Terms,
        worker: str,
        snapshot: int,
    ) -> None:
        self.revision = revision
        self.changes = changes
        self._keeper = keeper
        self._terms = terms
        self._worker = worker
        self._snapshot = snapshot
        self._begun = time.monotonic()
        self._since: float | None = None
        self._groups = Groups()
        self._task: asyncio.Task[None] | None = None
        self._verdict: Verdict | None = None

    def start(self, decided: Callable[[Watched], Awaitable[Any]]) -> None:
        """Watch in the background, then say how it ended."""
        self._task = asyncio.create_task(self._run(decided))

    async def cancel(self) -> None:
        """Stop watching: what was not seen to be good is taken back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def watched(self) -> Watched:
        """The figures so far."""
        seconds = time.monotonic() - self._since if self._since is not None else 0.0
        told = self._verdict
        return Watched(
            worker=self._worker,
            verdict="watching" if told is None else "spread" if told.spread else "reverted",
            reason=told.reason if told else "",
            window_s=self._terms.watch_s,
            min_calls=self._terms.min_calls,
            seconds=round(seconds, 3),
            canary=self._groups.canary.figures(),
            others=self._groups.others.figures(),
            before=self._groups.before.figures(),
        )

    async def _run(self, decided: Callable[[Watched], Awaitable[Any]]) -> None:
        try:
            # Heartbeats come by themselves; nobody could set an event for the time that passes.
            while (told := self._look()) is None:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
        except asyncio.CancelledError:
            await decided(
                self.watched().model_copy(
                    update={
                        "verdict": "stopped",
                        "reason": "the control plane stopped during the watch",
                    }
                )
            )
            raise
        self._verdict = told
        try:
            await decided(self.watched())
        except Exception:
            _log.exception("revision %d could not be settled", self.revision.number)

    def _look(self) -> Verdict | None:
        now, seen = time.monotonic(), self._keeper.seen()
        mine = seen.get(self._worker, ())
        # Later numbers are the same release over what others changed meanwhile.
        taken = [s for s in mine if s.revision >= self._snapshot]
        if not taken:
            late = now - self._begun > TAKEN_WITHIN_S
            return Verdict(False, "the first worker did not take it") if late else None
        if self._since is None:
            self._since = now
        if now - mine[-1].at_s > SILENT_S:
            return Verdict(False, "the first worker fell silent")
        since = taken[0].at_s
        self._groups = Groups(
            canary=taken[-1].tally.minus(taken[0].tally),
            others=together(
                _between(beats, since, now) for name, beats in seen.items() if name != self._worker
            ),
            before=together(_between(beats, 0.0, self._begun) for beats in seen.values()),
        )
        return verdict(self._groups, now - self._since, self._terms.watch_s, self._terms.min_calls)


def _between(beats: Sequence[Seen], start_s: float, end_s: float) -> Tally:
    """What a worker counted between two times, by its heartbeats inside them."""
    inside = [beat for beat in beats if start_s <= beat.at_s <= end_s]
    return inside[-1].tally.minus(inside[0].tally) if inside else Tally()
