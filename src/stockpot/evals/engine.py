"""Doing a run: what is known is taken, the rest is asked, all is scored and kept at once.

Knows rows, a target, scorers and a ledger; knows no store, no job and no HTTP. A row is done when
its result is kept; a run that goes on after a crash begins with what is not. Answers are kept in
the same step as results, and calls under way are bounded together with answers that are not kept
yet, so that a crash repeats at most the calls that were in flight. A purse is asked before a row's
call goes out, for what the call and its judges may cost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from stockpot.evals.models import Progress, Result, Row, SuiteSpec, Usage, Verdict
from stockpot.evals.pace import Pace
from stockpot.evals.scorers import Case, Scorer, Tools, at_path
from stockpot.evals.scorers.base import as_text
from stockpot.evals.targets import Answer, Caller
from stockpot.evals.trusted import trusted

CHUNK = 1000
_ATTEMPTS = 5
_LONGEST_S = 900.0
_JUDGED_AT_ONCE = 32
"""Known answers that are judged before any of them is kept, so that a crash repeats only a few."""
_OUTPUT_TOKENS = 512
_UNSEEN = Answer(output="word " * _OUTPUT_TOKENS)
"""An answer that is not there yet, for guessing what judges of it take."""
_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Answer).decode


class Ledger(Protocol):
    """Where a run is kept."""

    async def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Answers that were kept for these calls."""
        ...

    async def keep(
        self, results: Sequence[tuple[int, Result]], answers: Mapping[bytes, bytes],
        progress: Progress,
    ) -> None:  # fmt: skip
        """Keep results, answers and how far the run is, in one step."""
        ...


class Purse(Protocol):
    """Money for calls, in nano-dollars. It is asked before a call goes out, with what the call may
    cost, and told what it did cost."""

    def reserve(self, nano: int) -> bool:
        """Put this much aside; False where there is not so much left."""
        ...

    def settle(self, reserved: int, paid: int) -> None:
        """What was put aside for a call is free again; this much was paid."""
        ...


class _Answered(NamedTuple):
    """An answer that is not kept yet; `judging` is what was put aside for its judges."""

    place: int
    answer: Answer
    key: bytes | None = None
    judging: int = 0


class Plan(NamedTuple):
    """A run's rows and what is known of it. `done` are places with results; `prices` are dollars
    per million input and output tokens."""

    spec: SuiteSpec
    rows: Sequence[Row]
    done: frozenset[int] = frozenset()
    progress: Progress | None = None
    prices: tuple[float, float] | None = None
    repeat_calls: bool = False


class Engine:
    """One run, once: `await Engine(...).run()`."""

    def __init__(
        self, plan: Plan, ledger: Ledger, caller: Caller, scorers: Sequence[Scorer], tools: Tools,
        *, pace: Pace | None = None, stop: asyncio.Event | None = None, purse: Purse | None = None,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._purse = purse
        self._dearest = 0
        self._dearest_judged = 0
        self._open = 0
        """Rows that were begun and whose results are not kept yet."""
        self._learnt = False
        """Whether a row was asked, judged and kept, so that what one takes is known."""
        self._freed = asyncio.Event()
        self.out_of_money = False
        """Whether it ended because the purse was empty."""
        self._ledger = ledger
        self._caller = caller
        self._scorers = [
            (told.metric, scorer) for told, scorer in zip(plan.spec.scorers, scorers, strict=True)
        ]
        self._tools = tools
        self._stop = stop or asyncio.Event()
        self.pace = pace or Pace()
        self._began = time.monotonic()
        total = len(plan.rows) * plan.spec.repeats
        self.progress = plan.progress or Progress(
            rows=total, done=0, failed=0, cached=0, cost_nano=0, saved_nano=0, seconds=0.0
        )
        self._before_s = self.progress.seconds
        self._answered: list[_Answered] = []
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None

    async def run(self) -> Progress:
        """To the end, or until `stop` is set; raises what the ledger raises."""
        keeping = asyncio.create_task(self._keep_answers())
        try:
            await self._ask_all()
            await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._answered.append(_Answered(-1, Answer()))
            self._more.set()
            await keeping
        return self.progress

    async def _ask_all(self) -> None:
        repeats = self._plan.spec.repeats
        places = [
            place for place in range(len(self._plan.rows) * repeats) if place not in self._plan.done
        ]
        for start in range(0, len(places), CHUNK):
            if self._stop.is_set() or self._fault:
                return
            for place, key in await self._take_known(places[start : start + CHUNK]):
                await self.pace.enter()
                if self._stop.is_set() or self._fault:
                    self.pace.failed()
                    return
                aside = await self._begin(place)
                if aside is None:
                    self.pace.failed()
                    return
                task = asyncio.create_task(self._ask(place, key, *aside))
                self._tasks.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            self._fault = self._fault or fault
            self._freed.set()

    async def _begin(self, place: int) -> tuple[int, int] | None:
        """Put money aside for a row, for its call and for judging it; None when even after all that
        is under way there is not enough. The first row goes alone: what it takes is what the others
        are taken for."""
        while True:
            call, judging = self._dearest or self._guessed(place), await self._judged(place)
            first = self._learnt or not self._open or not call + judging or self._purse is None
            if first and self._reserve(call + judging):
                self._open += 1
                return call, judging
            if not await self._more_is_free():
                return None

    def _reserve(self, nano: int) -> bool:
        return self._purse is None or not nano or self._purse.reserve(nano)

    async def _more_is_free(self) -> bool:
        """Wait until something is kept or paid; False where nothing is under way."""
        if self._fault:
            return False
        if not self._open:
            self.out_of_money = True
            return False
        self._freed.clear()
        await self._freed.wait()
        return True

    def _settle(self, rows: int, reserved: int, paid: int) -> None:
        """So many rows more are kept, or called; something may be free again."""
        if self._purse is not None:
            self._purse.settle(reserved, paid)
        self._open -= rows
        self._freed.set()

    async def _judged(self, place: int) -> int:
        """What judging a row may cost: the dearest so far, else a guess."""
        if self._purse is None or self._dearest_judged:
            return self._dearest_judged
        row, _ = self._row(place)
        return (await self._judging([case_of(row, _UNSEEN, self._plan.spec, None)]))[0]

    async def _judging(self, cases: Sequence[Case]) -> list[int]:
        """A guess of what judging each case costs; nothing where judges were asked before."""
        found = [0] * len(cases)
        for _, scorer in self._scorers:
            ahead = await scorer.cost_ahead(cases, self._tools)
            found = [one + nano for one, nano in zip(found, ahead, strict=True)]
        return found

    def _guessed(self, place: int) -> int:
        """What a call may cost, before any was answered: four characters are a token."""
        row, _ = self._row(place)
        target = self._plan.spec.target
        said = len(as_text(row.input)) + len(target.system)
        told: Any = target.params.get("max_tokens") or target.params.get("max_completion_tokens")
        answer = Answer(input_tokens=said // 4 + 1, output_tokens=int(told or _OUTPUT_TOKENS))
        return self._cost(answer) or 0

    async def _take_known(self, places: Sequence[int]) -> list[tuple[int, bytes | None]]:
        """Keep at once what nobody has to be asked; gives what is left."""
        found: list[tuple[int, Answer, bool]] = []
        rest: list[tuple[int, bytes | None]] = []
        for place in places:
            row, repeat = self._row(place)
            answer = self._caller.at_once(row)
            if answer is not None:
                found.append((place, answer, False))
                continue
            try:
                rest.append((place, self._caller.key(row, repeat)))
            except Exception as bad:
                found.append((place, Answer(error=str(bad)), False))
        if rest and not self._plan.repeat_calls:
            known = await self._ledger.known([key for _, key in rest if key is not None])
            hits = [(place, known[key]) for place, key in rest if key is not None and key in known]
            found += [(place, _read(data), True) for place, data in hits]
            there = {place for place, _ in hits}
            rest = [one for one in rest if one[0] not in there]
        await self._keep_known(found)
        return [] if self.out_of_money else rest

    async def _keep_known(self, found: Sequence[tuple[int, Answer, bool]]) -> None:
        """Answers that are there already: they cost nothing, but judging them may."""
        judging = [0] * len(found)
        if self._purse is not None:
            judging = await self._judging([self._case(place, told) for place, told, _ in found])
        batch: list[tuple[int, Answer, bool]] = []
        aside = 0
        for one, guess in zip(found, judging, strict=True):
            nano = guess and (self._dearest_judged or guess)
            if len(batch) == (_JUDGED_AT_ONCE if nano else CHUNK):
                await self._keep(batch, {}, aside)
                batch, aside = [], 0
            if not self._reserve(nano):
                await self._keep(batch, {}, aside)
                batch, aside = [], 0
                while not self._reserve(nano := self._dearest_judged or guess):
                    if not await self._more_is_free():
                        return
            self._open += 1
            batch.append(one)
            aside += nano
        await self._keep(batch, {}, aside)

    async def _ask(self, place: int, key: bytes | None, call: int, judging: int) -> None:
        """One call, again while it may be; its place in the pace is held while it is under way."""
        row, repeat = self._row(place)
        attempt, until = 0, time.monotonic() + _LONGEST_S
        while True:
            answer = await self._caller.call(row, repeat)
            if answer.retry_s is None:
                self.pace.held_back += 1
                self.pace.left() if not answer.error else self.pace.failed()
                break
            attempt += not answer.crowded
            wait = max(answer.retry_s, 0.05 * 2**attempt if not answer.crowded else 0.02)
            self.pace.refused(wait) if answer.crowded else self.pace.failed()
            if attempt >= _ATTEMPTS or time.monotonic() + wait > until or self._stop.is_set():
                self.pace.held_back += 1
                break
            await asyncio.sleep(wait)
            await self.pace.enter()
        paid = self._cost(answer) or 0
        self._dearest = max(self._dearest, paid)
        self._settle(0, call, paid)
        self._answered.append(_Answered(place, answer, None if answer.error else key, judging))
        self._more.set()

    async def _keep_answers(self) -> None:
        """Keep what was answered, all that is there in one step, until the end is marked."""
        while True:
            await self._more.wait()
            self._more.clear()
            batch, self._answered = self._answered, []
            ends = any(one.place < 0 for one in batch)
            batch = [one for one in batch if one.place >= 0]
            if batch and not self._fault:
                answers = {one.key: _encode(one.answer) for one in batch if one.key is not None}
                try:
                    await self._keep([(one.place, one.answer, False) for one in batch], answers,
                                     sum(one.judging for one in batch))  # fmt: skip
                except Exception as bad:
                    self._fault = bad
                    self._freed.set()
            self.pace.held_back -= len(batch)
            self.pace.wake()
            if ends:
                if self._fault:
                    raise self._fault
                return

    async def _keep(
        self, found: Sequence[tuple[int, Answer, bool]], answers: Mapping[bytes, bytes],
        aside: int = 0,
    ) -> None:  # fmt: skip
        """Score and keep; `aside` is what was put aside for the judges."""
        if not found:
            return
        results = await self._scored(found)
        judged = [_judged_nano(one) or 0 for _, one in results]
        self._dearest_judged = max(self._dearest_judged, *judged)
        self.progress = self._advanced(results)
        await self._ledger.keep(results, answers, self.progress)
        self._learnt = self._learnt or any(not cached for _, _, cached in found)
        self._settle(len(found), aside, sum(judged))

    async def _scored(self, found: Sequence[tuple[int, Answer, bool]]) -> list[tuple[int, Result]]:
        cases = [self._case(place, answer) for place, answer, _ in found]
        good = [n for n, (_, answer, _) in enumerate(found) if not answer.error]
        scores: list[dict[str, Verdict]] = [{} for _ in found]
        for metric, scorer in self._scorers:
            for number, verdict in zip(
                good, await scorer.score_all([cases[n] for n in good], self._tools), strict=True
            ):
                scores[number][metric] = verdict
        return [
            (place, self._result(place, answer, cached, case, given))
            for (place, answer, cached), case, given in zip(found, cases, scores, strict=True)
        ]

    def _row(self, place: int) -> tuple[Row, int]:
        number, repeat = divmod(place, self._plan.spec.repeats)
        return self._plan.rows[number], repeat

    def _case(self, place: int, answer: Answer) -> Case:
        row, _ = self._row(place)
        return case_of(row, answer, self._plan.spec, self._cost(answer))

    def _result(
        self, place: int, answer: Answer, cached: bool, case: Case, scores: dict[str, Verdict]
    ) -> Result:
        row, repeat = self._row(place)
        return trusted(Result, {
            "item": row.id, "repeat": repeat, "output": answer.output, "error": answer.error,
            "trace_id": answer.trace_id, "cached": cached, "latency_ms": case.latency_ms,
            "cost_nano": case.cost_nano, "model": answer.model, "cluster": case.cluster,
            "usage": trusted(Usage, {"input": answer.input_tokens, "output": answer.output_tokens}),
            "slices": slices_of(row, self._plan.spec), "scores": scores,
        })  # fmt: skip

    def _cost(self, answer: Answer) -> int | None:
        if self._plan.prices is None:
            return None
        per_input, per_output = self._plan.prices
        return round((answer.input_tokens * per_input + answer.output_tokens * per_output) * 1000)

    def _advanced(self, results: Sequence[tuple[int, Result]]) -> Progress:
        was = self.progress
        judged = [_judged_nano(one) for _, one in results]
        paid = sum(one.cost_nano or 0 for _, one in results if not one.cached)
        paid += sum(cost or 0 for cost in judged)
        saved = sum(one.cost_nano or 0 for _, one in results if one.cached)
        unknown = self._plan.prices is None and any(
            one.usage.output and not one.cached for _, one in results
        )
        unknown = unknown or None in judged
        spent = None if unknown or was.cost_nano is None else was.cost_nano + paid
        return Progress(
            rows=was.rows, done=was.done + len(results), cost_nano=spent,
            failed=was.failed + sum(bool(one.error) for _, one in results),
            cached=was.cached + sum(one.cached for _, one in results),
            saved_nano=was.saved_nano + saved, concurrency=self.pace.in_flight,
            judges_nano=was.judges_nano + sum(cost or 0 for cost in judged),
            seconds=round(self._before_s + time.monotonic() - self._began, 3),
        )  # fmt: skip


def _judged_nano(result: Result) -> int | None:
    """What the judges of a row cost; None where no price is known."""
    found = [one.judgement.cost_nano for one in result.scores.values() if one.judgement]
    return None if None in found else sum(cost or 0 for cost in found)


def case_of(row: Row, answer: Answer, spec: SuiteSpec, cost_nano: int | None) -> Case:
    """A row with its answer, as scorers see it."""
    return Case(
        item=row.id, input=row.input, expected=row.expected, metadata=row.metadata,
        output=answer.output, calls=answer.calls, latency_ms=answer.latency_ms or None,
        cost_nano=cost_nano, cluster=_at(row, spec.cluster), trace=answer.trace,
    )  # fmt: skip


def slices_of(row: Row, spec: SuiteSpec) -> tuple[str, ...]:
    """The slices that a row is in, such as `metadata.language=de`."""
    return slices_at(row, spec.slices)


def slices_at(row: Row, paths: Sequence[str]) -> tuple[str, ...]:
    """The slices that a row is in by these paths."""
    found = ((path, _at(row, path)) for path in paths)
    return tuple(f"{path}={value}" for path, value in found if value)


def _at(row: Row, path: str) -> str:
    """A row's value at a path, as text; nothing where there is none."""
    if not path:
        return ""
    first, _, rest = path.partition(".")
    try:
        value: Any = at_path(getattr(row, first, None), rest)
    except ValueError:
        return ""
    return "" if value is None else as_text(value)[:200]
