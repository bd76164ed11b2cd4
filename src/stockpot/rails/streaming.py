"""Rails over a text that comes in pieces, so that nothing is released before it is cleared.

The guarantee, whatever the pieces are: no character is released before every acting rail has seen
it with all that could make it part of a finding; and text, verdict and findings depend on the text
alone. Both hold by construction: the text is cut at places that are decided by what stands before
them, never by where a piece ended, and each stretch between two cuts is looked at once.

Whenever white space comes (or a character of a script that has none), rails are asked from where on
a finding may still be open (`Bounded.open_at`), and the text is cut there. A rail that cannot tell
gets `reach` characters beyond the cut to look at. A rail of reach 0 holds the whole text, unless it
only counts: rules that flag and shadow rules look at the text when it has ended, and delay nothing.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple, cast

import msgspec

from stockpot.rails.models import Bounded, Finding, Outcome, Ran, Where
from stockpot.rails.policy import CompiledPolicy, Step, ask, failure_of
from stockpot.rails.vault import label_of, stretches

_LONG_US = 1000.0
PIECE = 24
"""Characters between cuts, at least: looking at every word by itself costs more than it gains."""

CONTEXT = 96
"""Characters before a stretch that rails see again: words that say what a number is."""

_STOPPING = frozenset({"block", "reask", "route"})
_MAY_CUT = re.compile("[\\s\u2e80-\U0010ffff]")


class Cut(NamedTuple):
    """Where a stretch ends, and how much of the text was seen when that was decided."""

    at: int
    seen: int


class Said:
    """What one rule's rail said of a text so far, by offsets in the whole text."""

    __slots__ = ("error", "found", "step", "us")

    def __init__(self, step: Step) -> None:
        self.step, self.error, self.us = step, "", 0.0
        self.found: list[Finding] = []

    def look(self, window: str, low: int, begin: int, end: int) -> list[Finding]:
        """What begins from `begin` up to `end`; `window` stands at `low`."""
        ran = ask(self.step, window)
        if ran.us > _LONG_US:  # something else may have had the processor meanwhile
            ran = ask(self.step, window, time.thread_time_ns)
        self.us += ran.us
        self.error = self.error or ran.error
        return [
            msgspec.structs.replace(one, start=one.start + low, end=one.end + low)
            for one in ran.findings
            if begin <= one.start + low < end
        ]

    def keep(self, found: list[Finding], at: int) -> Ran:
        """Of what was found, that which begins before the cut."""
        kept = [one for one in found if one.start < at]
        self.found += kept
        return Ran(self.step.rule.id, tuple(kept))

    def fails_closed(self) -> bool:
        rule = self.step.rule
        if not self.error and not rule.budget_ms:
            return False
        failed = failure_of(rule, self.ran())
        return failed is not None and failed.closed

    def ran(self) -> Ran:
        return Ran(self.step.rule.id, tuple(self.found), self.us, self.error)


def _before_crossing(looked: list[list[Finding]], at: int) -> int:
    """The cut moved back until no finding crosses it: what crosses is looked at whole, later."""
    found = [one for some in looked for one in some]
    while True:
        first = min((one.start for one in found if one.start < at < one.end), default=at)
        if first == at:
            return at
        at = first


class StreamScanner:
    """One text of one call on its way out. `feed` and `finish` return what may be released.

    `verdict` is None while the text goes on; afterwards what was decided. When a rule stops the
    text (`stopped`), what stands before the finding is still released, and nothing after it.
    `most_held` is the most characters that ever waited.
    """

    def __init__(self, policy: CompiledPolicy, where: Where) -> None:
        self.verdict: Outcome | None = None
        self.most_held = 0
        self._policy, self._where = policy, where
        steps = policy.at(where)
        self._acting = tuple(s for s in steps if not s.rule.shadow and s.rule.action != "flag")
        self._counting = tuple(s for s in steps if s not in self._acting)
        self._whole = any(step.rail.reach == 0 for step in self._acting)
        self._bounds = [cast("Bounded", s.rail) for s in self._acting if s.bounded]
        unbounded = [s.rail.reach for s in self._acting if not s.bounded]
        self._ahead = max(unbounded, default=0)
        self._longest = max([s.rail.reach for s in self._acting], default=0)
        self._limit = self._longest + max(PIECE, self._longest // 4)
        self._text = ""
        self._begin = 0  # all before is decided
        self._looked = 0  # up to here no cut was found
        self._hidden_to = 0  # a finding of the stretch before reaches so far
        self._released: list[str] = []
        self._said = tuple(Said(step) for step in self._acting)

    @property
    def stopped(self) -> bool:
        return self.verdict is not None and self.verdict.action in _STOPPING

    @property
    def held(self) -> int:
        """Characters that wait to be cleared."""
        return len(self._text) - self._begin if self.verdict is None else 0

    def feed(self, piece: str) -> str:
        """Take a piece of the text; returns what is cleared now, which may be nothing."""
        if self.verdict is not None:
            return ""
        self._text += piece
        if not self._acting:
            return self._release(piece, len(self._text))
        out = []
        while not self._whole and self.verdict is None:
            cut = self._next_cut()
            if cut is None or cut.at + self._ahead > len(self._text):
                break
            out.append(self._clear(cut))
        self.most_held = max(self.most_held, self.held)
        return "".join(out)

    def finish(self) -> str:
        """The text has ended; returns the rest, and decides."""
        if self.verdict is not None:
            return ""
        if self._whole:
            return self._finish_whole()
        out = []
        while self.verdict is None and self._acting:
            cut = self._next_cut()
            if cut is None:
                break
            out.append(self._clear(cut))
        if self.verdict is None and self._begin < len(self._text):
            out.append(self._clear(Cut(len(self._text), len(self._text))))
        if self.verdict is None:
            self._decide()
        return "".join(out)

    def _next_cut(self) -> Cut | None:
        """The next place to cut, decided by the text up to where it was seen alone."""
        text, begin = self._text, self._begin
        low, limit = max(0, begin - CONTEXT), begin + self._limit
        for found in _MAY_CUT.finditer(text, max(self._looked, begin + PIECE - 1), limit):
            at = found.end()
            window = text[low:at]
            cut = low + min([rail.open_at(window) for rail in self._bounds], default=at - low)
            if cut - begin >= PIECE:
                return Cut(cut, at)
            self._looked = at
        self._looked = min(len(text), limit)
        # A finding is no longer than the reach: what began before that has ended.
        return Cut(limit - self._longest, limit) if len(text) >= limit else None

    def _clear(self, cut: Cut) -> str:
        """Look at the stretch that ends at a cut, and release what may be."""
        begin, low = self._begin, max(0, self._begin - CONTEXT)
        window, longer = self._text[low : cut.seen], self._text[low : cut.at + self._ahead]
        looked = [
            one.look(window if one.step.bounded else longer, low, begin, cut.at)
            for one in self._said
        ]
        at = cut.at
        if any(looked):
            at = _before_crossing(looked, cut.at)
            if at <= begin:  # a finding begins here and goes on: it is cut behind its end
                if cut.seen < begin + self._limit and cut.at < len(self._text):
                    self._looked = cut.seen
                    return ""
                at = cut.at
        said = [one.keep(found, at) for one, found in zip(self._said, looked, strict=True)]
        late = any(one.fails_closed() for one in self._said)
        if not late and not any(ran.findings for ran in said):
            return self._release(self._text[max(begin, self._hidden_to) : at], at)
        return self._act(said, late, at)

    def _act(self, said: list[Ran], late: bool, at: int) -> str:
        outcome = self._policy.settle(self._where, self._text, said)
        stops = [f.start for hit in outcome.hits if hit.action in _STOPPING for f in hit.findings]
        end = self._begin if late else min(stops, default=at)
        masks = [f for hit in outcome.hits if hit.action == "mask" for f in hit.findings]
        out = self._release(self._written(masks, end), at)
        if late or stops:
            self._decide()
        return out

    def _written(self, masks: list[Finding], end: int) -> str:
        """The stretch up to `end` with what is to be hidden replaced by its label."""
        text, at = self._text, max(self._begin, self._hidden_to)
        parts: list[str] = []
        for one in stretches((), masks):
            if one.start >= end:
                break
            if one.start >= at:
                parts += (text[at : one.start], f"[{label_of(one.type)}]")
            at = max(at, one.end)
        self._hidden_to = max(at, self._hidden_to)
        return "".join((*parts, text[at:end]))

    def _release(self, text: str, to: int) -> str:
        self._begin = self._looked = to
        self._released.append(text)
        return text

    def _decide(self) -> None:
        """The verdict on the text so far: rules that only count are asked now."""
        seen = self._text[: self._begin]
        said = [one.ran() for one in self._said] + [ask(step, seen) for step in self._counting]
        outcome = self._policy.settle(self._where, seen, said)
        self.verdict = msgspec.structs.replace(outcome, text="".join(self._released))

    def _finish_whole(self) -> str:
        self.verdict = self._policy.check(self._where, self._text)
        out = "" if self.stopped else self.verdict.text
        self._begin = len(self._text)
        return out
