"""Doing a run where the command runs: targets that are an endpoint or a line of Python.

Knows the API's client; results are reported to the API as they come, answers are kept in a file of
the instance's home, so that a run that was cut off goes on where it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from stockpot.core.client import Client
from stockpot.core.errors import ConfigError, InvalidInput, StockpotError
from stockpot.evals.answer_file import AnswerFile, opened
from stockpot.evals.clients import run_header
from stockpot.evals.engine import Engine, Plan
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.models import Progress, Result, Row, Run, Verdict
from stockpot.evals.scorers import Case, made
from stockpot.evals.spanning import Called, Note, batches_of, spans_of
from stockpot.evals.targets import Caller, Endpoint, Function, Recorded

_PAGE = 500
_ATTEMPTS = 6
"""Of sending spans while the span log is behind or away."""
Watch = Callable[[Progress], None]


def run_here(
    client: Client,
    run: dict[str, Any],
    rows: Sequence[Row],
    *,
    cache: Path | None = None,
    function: Callable[[Any], Any] | None = None,
    gateway: tuple[str, str] | None = None,
    again: bool = False,
    watch: Watch = lambda _: None,
) -> dict[str, Any]:
    """A run to its end; gives it with its metrics. `gateway` is its URL and a key, for scorers that
    ask a model."""
    record = Run.model_validate(run)
    repeats = record.spec.repeats
    places = {(row.id, repeat): number * repeats + repeat
              for number, row in enumerate(rows) for repeat in range(repeats)}  # fmt: skip
    done = frozenset(places[key] for key in _done(client, record.id))
    plan = Plan(record.spec, rows, done, record.progress, repeat_calls=again)
    with opened(cache) as answers:
        answers.forget(record.project, _kept_since(client, record.project))
        ledger = _Reported(client, record, answers, watch)
        try:
            asyncio.run(_done_by(plan, ledger, _caller(record, function, ledger.note), gateway))
        except Exception as bad:
            client.post(f"/api/v1/evals/runs/{record.id}/finish", {"error": str(bad)[:1900]})
            raise
    ended: dict[str, Any] = client.post(f"/api/v1/evals/runs/{record.id}/finish", {})
    return ended


async def _done_by(
    plan: Plan, ledger: _Reported, caller: Caller, gateway: tuple[str, str] | None
) -> None:
    scorers = [made(spec) for spec in plan.spec.scorers]
    url, key = gateway or ("", "")
    headers = {"authorization": f"Bearer {key}", **run_header(ledger.run)}
    http = httpx.AsyncClient(base_url=url, headers=headers,
                             timeout=httpx.Timeout(10, read=600), trust_env=False)  # fmt: skip
    kept = _KeptHere(ledger.known, ledger.remember)
    tools = GatewayTools(http, kept) if gateway else _NoGateway()
    try:
        await Engine(plan, ledger, caller, scorers, tools).run()
        await ledger.tell_spans()
    finally:
        await caller.close()
        await http.aclose()


def _caller(run: Run, function: Callable[[Any], Any] | None, note: Note) -> Caller:
    target = run.spec.target
    match target.kind:
        case "http":
            return Endpoint(target, run.id, note)
        case "python":
            return Function(target, function, note)
        case "recorded":
            return Recorded(target)
    raise InvalidInput(f"a target of kind {target.kind!r} is called by the instance")


def _kept_since(client: Client, project: str) -> float:
    """What was answered before this time, in milliseconds, the project lets go."""
    told: dict[str, float] = client.get(f"/api/v1/projects/{project}/retention/since")
    return told["since_ms"]


def _done(client: Client, run_id: str) -> Iterator[tuple[str, int]]:
    cursor: int | None = -1
    while cursor is not None:
        page = client.get(f"/api/v1/evals/runs/{run_id}/rows", cursor=cursor, limit=_PAGE)
        yield from ((one["item"], one["repeat"]) for one in page["items"])
        cursor = page["next_cursor"]


class _NoGateway:
    async def embed(self, texts: Sequence[str], model: str) -> list[list[float]]:
        """Nobody is there to ask."""
        raise _no_gateway()

    async def judge(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[Verdict]:
        """Nobody is there to ask."""
        raise _no_gateway()

    async def judge_cost(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[int]:
        """Nobody is there to ask."""
        raise _no_gateway()

    def endpoint(self) -> tuple[str, str]:
        """Nobody is there to ask."""
        raise _no_gateway()


def _no_gateway() -> ConfigError:
    return ConfigError(
        "a scorer of this suite asks a model, and no gateway is known here",
        hint="STOCKPOT_KEY=sk-sp-... STOCKPOT_GATEWAY=http://HOST:4000 stockpot eval run SUITE",
    )


class _KeptHere(NamedTuple):
    """Judges' answers, in the same file as those of targets."""

    known: Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, bytes]]]
    keep: Callable[[Mapping[bytes, bytes]], Awaitable[None]]


class _Reported:
    """Keeps answers in a file, and spans and results by the API: a span first, so that no result
    is kept whose trace is lost."""

    def __init__(self, client: Client, run: Run, answers: AnswerFile, watch: Watch) -> None:
        self._client = client
        self._run = run
        self._path = f"/api/v1/evals/runs/{run.id}/rows"
        self._answers = answers
        self._watch = watch
        self._calls: list[Called] = []

    @property
    def run(self) -> str:
        """The run's id."""
        return self._run.id

    def note(self, call: Called) -> None:
        """A call is over; its span goes out before its result."""
        self._calls.append(call)

    async def tell_spans(self) -> None:
        """Send the spans of calls that are over; comes back when they are on the server's disk."""
        calls, self._calls = self._calls, []
        for batch in batches_of(calls):
            await self._tell(spans_of(self._run, batch))

    async def _tell(self, spans: dict[str, Any]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                await asyncio.to_thread(self._client.post, "/v1/traces", spans)
            except StockpotError as refused:
                if getattr(refused, "answered", 503) != 503 or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return
            await asyncio.sleep(0.5 * 2**attempt)

    async def known(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """What the file has for these calls."""
        return self._answers.known(keys)

    async def remember(self, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers in the file."""
        self._answers.keep(self._run.project, answers)

    async def keep(
        self, results: Sequence[tuple[int, Result]], answers: Mapping[bytes, bytes],
        progress: Progress,
    ) -> None:  # fmt: skip
        await self.tell_spans()
        await self.remember(answers)
        told = {"results": [one.model_dump(mode="json", exclude_defaults=True)
                            for _, one in results]}  # fmt: skip
        await asyncio.to_thread(self._client.post, self._path, told)
        self._watch(progress)
