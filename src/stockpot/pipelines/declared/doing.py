"""Doing a pipeline: step after step, each put down before and after, so that a run whose process
died goes on where it was. Knows verbs and their order; knows no schedule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from stockpot.core.clock import now_ms
from stockpot.core.errors import StockpotError
from stockpot.monitors import KeptCheck, Outcome, Underway
from stockpot.pipelines.declared.models import PipelineSpec, StepRun
from stockpot.pipelines.declared.verbs import VERBS, Api, Doing

_OVER = ("done", "skipped", "failed", "not run")


class PipelineDoer:
    """Does pipelines. `client_of` gives a client of the control plane, with the rights of the
    instance itself; every step stays in its pipeline's project."""

    def __init__(self, client_of: Callable[[], httpx.AsyncClient], folder: Path) -> None:
        self._client_of = client_of
        self._folder = folder

    async def do(self, check: KeptCheck, underway: Underway) -> Outcome:
        """Every step, or those that are left of a run that was cut off."""
        spec = PipelineSpec.model_validate(check.spec)
        client = self._client_of()
        try:
            steps = await _Run(self._folder, check, spec, underway, client).all()
        finally:
            await client.aclose()
        failed = [step for step in steps if step.state == "failed"]
        done = sum(step.state == "done" for step in steps)
        skipped = sum(step.state == "skipped" for step in steps)
        words = f"{done} done, {skipped} unchanged"
        if failed:
            words = f"{failed[0].id} failed: {failed[0].words}"
        known = dict(underway.known.get("done", {}))
        known |= {
            step.id: {"inputs": step.inputs, "output": step.output, "words": step.words,
                      "link": step.link}
            for step in steps
            if step.state == "done"
        }  # fmt: skip
        kept = {step.id: known[step.id] for step in steps if step.id in known}
        return Outcome(words, {"steps": _plain(steps)}, bool(failed), float(len(failed)),
                       len(steps), 0, {"done": kept})  # fmt: skip


class _Run:
    """One run of one pipeline."""

    def __init__(
        self, folder: Path, check: KeptCheck, spec: PipelineSpec, underway: Underway,
        client: httpx.AsyncClient,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._spec = spec
        self._underway = underway
        self._api = Api(client, check.project)
        self._last: dict[str, Any] = underway.known.get("done", {})
        kept = {one["id"]: one for one in underway.kept.get("steps", ())}
        self.steps = [
            StepRun.model_validate(kept[step.id])
            if step.id in kept
            else StepRun(id=step.id, use=step.use)
            for step in spec.steps
        ]

    async def all(self) -> list[StepRun]:
        for at in range(len(self.steps)):
            if self.steps[at].state not in _OVER:
                await self._one(at)
        return self.steps

    async def _one(self, at: int) -> None:
        before = {one.id: one for one in self.steps[:at]}
        needed = {name: before[name] for name in self._spec.needs_of(at)}
        if any(one.state not in ("done", "skipped") for one in needed.values()):
            await self._set(at, state="not run", words="a step before it failed")
            return
        started = self.steps[at].started_ms or now_ms()
        await self._set(at, state="running", started_ms=started)
        try:
            await self._do(at, {name: one.output for name, one in needed.items()})
        except StockpotError as bad:
            await self._set(at, state="failed", words=bad.message[:1000], finished_ms=now_ms())

    async def _do(self, at: int, before: dict[str, dict[str, Any]]) -> None:
        step = self._spec.steps[at]

        async def begun(ref: str) -> None:
            await self._set(at, ref=ref)

        doing = Doing(
            self._api, self._folder, step, before, self.steps[at].ref, begun,
            self._underway.stop,
        )  # fmt: skip
        told = await VERBS[step.use].inputs(doing)
        inputs = _hash([step.use, told]) if told else ""
        last = self._last.get(step.id, {})
        if inputs and not step.always and last.get("inputs") == inputs:
            await self._set(
                at, state="skipped", inputs=inputs, output=last["output"],
                link=last["link"], words=f"unchanged: {last['words']}", finished_ms=now_ms(),
            )  # fmt: skip
            return
        did = await VERBS[step.use].do(doing)
        await self._set(
            at, state="done", inputs=inputs, output=did.output, link=did.link,
            words=did.words, finished_ms=now_ms(),
        )  # fmt: skip

    async def _set(self, at: int, **values: Any) -> None:
        self.steps[at] = self.steps[at].model_copy(update=values)
        await self._underway.keep({"steps": _plain(self.steps)})


def _plain(steps: list[StepRun]) -> list[dict[str, Any]]:
    return [step.model_dump(mode="json") for step in steps]


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
