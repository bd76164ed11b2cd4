"""Asking a model the same things again, to see whether it is still the same. Knows the gateway and
data sets; knows no schedule.

The first runs are the reference. Every later run's answers are compared with theirs prompt by
prompt, by whether they are the same text, how long they are, what they mean, and how sure the model
was of them where it tells. A model that scatters scatters in the reference as well.

Whoever accepts a change takes the newest answers as the new reference (`rebasing`); what else the
reference needs is taken from later runs, unless those differ again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np

from stockpot.core.errors import Unavailable
from stockpot.evals.clients import run_header
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.watching.drift import embedded
from stockpot.evals.watching.models import CanarySpec
from stockpot.evals.watching.reading import last_text
from stockpot.evals.watching.spending import DAY_MS, Budget, at_most, cost_of, refused, total
from stockpot.evals.watching.tools import Bench
from stockpot.monitors import KeptCheck, Outcome, Underway
from stockpot.stats import Repeats, Shift, holm, repeats_shift

_AT_ONCE = 4
_SHOWN = 10
_FEATURES = 4
"""At most so many are tested, and their p-values adjusted for."""
Answer = dict[str, Any]
"""`text`, `model`, `fingerprint`, `logprob`, `cost_nano` of one answer."""


class CanaryDoer:
    """Does canaries. `clock` gives Unix seconds."""

    def __init__(self, bench: Bench, clock: Callable[[], float] = time.time) -> None:
        self._bench = bench
        self._clock = clock

    async def do(self, check: KeptCheck, underway: Underway) -> Outcome:
        """Ask every prompt, then hold the answers against the reference."""
        spec = CanarySpec.model_validate(check.spec)
        prompts = await self._prompts(check.project, spec)
        identity = _identity(spec, prompts)
        known = underway.known if underway.known.get("identity") == identity else {}
        budget = await self._budget(spec, underway)
        why = ""
        if budget is not None and not underway.kept.get("answers"):
            # A run that was begun before its process died is finished: half of one tells nothing.
            why = refused(budget, known.get("run_nano", at_most(spec, prompts)))
        if why:
            return Outcome(why, {"skipped": True, "cost": {**_spent(budget, 0), "apart": ""}})
        client = await self._bench.client_of(check.project)
        client.headers.update(run_header(check.id))
        tools = GatewayTools(client)
        try:
            answers = await self._asked(spec, prompts, client, underway)
            failed = sum(not told for told in answers)
            if failed == len(answers):
                raise Unavailable(f"the model {spec.model!r} answered none of {failed} prompts")
            outcome = await self._held(spec, prompts, answers, {**known, "identity": identity},
                                       tools)  # fmt: skip
        finally:
            await client.aclose()
        cost, embedding = _cost(answers), _embedding_cost(spec, tools)
        cost = None if cost is None else cost + (embedding or 0)
        state = {**(outcome.state or {}), "latest": {"run": underway.run.id, "answers": answers}}
        if cost is not None:
            state["run_nano"] = cost
        apart = spec.embedding if embedding is None else ""
        result = {**outcome.result, "cost": {**_spent(budget, cost), "apart": apart}}
        return outcome._replace(result=result, cost_nano=cost or 0, state=state)

    async def _budget(self, spec: CanarySpec, underway: Underway) -> Budget | None:
        if spec.max_usd_day is None:
            return None
        now = int(self._clock() * 1000)
        spent = await underway.spent_since(now - now % DAY_MS)
        return Budget(round(spec.max_usd_day * 1e9), spent - underway.run.cost_nano)

    async def _held(
        self, spec: CanarySpec, prompts: Sequence[Any], answers: list[list[Answer]],
        known: dict[str, Any], tools: GatewayTools,
    ) -> Outcome:  # fmt: skip
        """The answers as a reference, or against it. Where somebody accepted a change, the rest of
        the reference is answers that do not differ from what was accepted."""
        runs: list[list[list[Answer]]] = known.get("runs", [])
        comparable = known.get("accepted") and spec.repeats > 1
        if len(runs) < spec.references and not comparable:
            state = {**known, "runs": [*runs, answers]}
            return _referred(spec, answers, len(runs) + 1, state)
        reference = _joined(runs, len(prompts))
        found = await self._compared(spec, reference, answers, tools)
        outcome = _decided(spec, prompts, reference, answers, found)
        if len(runs) < spec.references and not outcome.alarm:
            words = f"{outcome.words}; reference {len(runs) + 1} of {spec.references} taken"
            return outcome._replace(words=words, state={**known, "runs": [*runs, answers]})
        return outcome._replace(state=known)

    async def _prompts(self, project: str, spec: CanarySpec) -> list[Any]:
        if spec.prompts:
            return list(spec.prompts)
        name, _, version = spec.dataset.partition("@")
        number = int(version) if version.isdigit() else None
        told = await self._bench.datasets.rows(project, name, number, "")
        return [row.input for row in told.rows]

    async def _asked(
        self, spec: CanarySpec, prompts: Sequence[Any], client: httpx.AsyncClient,
        underway: Underway,
    ) -> list[list[Answer]]:  # fmt: skip
        """The answers to each prompt, kept as they come."""
        answers: list[list[Answer]] = underway.kept.get("answers") or [[] for _ in prompts]
        left = [
            place
            for place in range(len(prompts))
            for _ in range(spec.repeats - len(answers[place]))
        ]
        for start in range(0, len(left), _AT_ONCE):
            part = left[start : start + _AT_ONCE]
            told = await asyncio.gather(*(_ask(spec, prompts[at], client) for at in part))
            for at, answer in zip(part, told, strict=True):
                if answer is not None:
                    answers[at].append(answer)
            await underway.keep({"answers": answers}, cost_nano=_cost(answers) or 0)
        return answers

    async def _compared(
        self, spec: CanarySpec, reference: list[list[Answer]], answers: list[list[Answer]],
        tools: GatewayTools,
    ) -> dict[str, Shift]:  # fmt: skip
        rounds = int(5 * _FEATURES / spec.alpha) - 1  # fewer could not show so small a p-value
        both = [(then, now) for then, now in zip(reference, answers, strict=True) if then and now]
        measures = {"same text": _different, "length": _longer}
        if spec.logprobs and all(a.get("logprob") is not None for t, n in both for a in (*t, *n)):
            measures["logprob"] = _surer
        found = {
            name: repeats_shift(
                [Repeats(_distances([*then, *now], apart), len(then)) for then, now in both],
                spec.seed,
                rounds,
            )
            for name, apart in measures.items()
        }
        if spec.embedding:
            texts = [[a["text"] or " " for a in (*then, *now)] for then, now in both]
            vectors = await embedded(tools, spec.embedding, *texts)
            repeats = [
                Repeats(_cosines(matrix), len(then))
                for matrix, (then, _) in zip(vectors, both, strict=True)
            ]
            found["meaning"] = repeats_shift(repeats, spec.seed, rounds)
        return found


def _referred(
    spec: CanarySpec, answers: list[list[Answer]], number: int, state: dict[str, Any]
) -> Outcome:
    words = f"reference {number} of {spec.references} taken: {len(answers)} prompts"
    return Outcome(words, {"reference": True, "answers": answers}, None, None,
                   sum(map(len, answers)), 0, state)  # fmt: skip


def _decided(
    spec: CanarySpec, prompts: Sequence[Any], reference: list[list[Answer]],
    answers: list[list[Answer]], found: dict[str, Shift],
) -> Outcome:  # fmt: skip
    adjusted = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    moved = [name for name in found if adjusted[name] < spec.alpha and found[name].effect > 0]
    identity = _identities(spec, reference, answers)
    changed = _changed(prompts, reference, answers)
    said = [f"answers changed by {', '.join(moved)}"] if moved else []
    said += [f"{what} is {now} now, was {then}" for what, then, now in identity]
    least = min(adjusted.values())
    words = f"{spec.model}: {'; '.join(said)}" if said else f"{spec.model}: as it was"
    words += f" (p {least:.2g}, {len(changed)} of {len(prompts)} prompts with another answer)"
    result = {
        "features": {
            name: {**one._asdict(), "p_adjusted": adjusted[name], "moved": name in moved}
            for name, one in found.items()
        },
        "identity": [
            {"what": what, "reference": then, "now": now} for what, then, now in identity
        ],
        "changed": changed[:_SHOWN], "prompts": len(prompts), "alpha": spec.alpha,
    }  # fmt: skip
    samples = sum(map(len, answers))
    return Outcome(words, result, bool(said), least, samples)


def _identities(
    spec: CanarySpec, reference: list[list[Answer]], answers: list[list[Answer]]
) -> list[tuple[str, str, str]]:
    """What the vendor itself says is another: a served model that the reference never had, or
    fingerprints none of which it had."""
    found = []
    for what, field in (("served model", "model"), ("system fingerprint", "fingerprint")):
        then = {a[field] for told in reference for a in told if a.get(field)}
        now = {a[field] for told in answers for a in told if a.get(field)}
        new = now - then if field == "model" else (now if now.isdisjoint(then) else set())
        if then and new and (field == "model" or spec.fingerprints):
            found.append((what, ", ".join(sorted(then)), ", ".join(sorted(new))))
    return found


def _changed(
    prompts: Sequence[Any], reference: list[list[Answer]], answers: list[list[Answer]]
) -> list[dict[str, str]]:
    """Prompts none of whose answers stood in the reference."""
    found = []
    for prompt, then, now in zip(prompts, reference, answers, strict=True):
        before = {a["text"] for a in then}
        if then and now and not any(a["text"] in before for a in now):
            told = {"prompt": last_text(prompt), "before": then[0]["text"], "now": now[0]["text"]}
            short = {name: text[:600] for name, text in told.items()}
            found.append({**short, "trace": now[0].get("trace", "")})
    return found


async def _ask(spec: CanarySpec, prompt: Any, client: httpx.AsyncClient) -> Answer | None:
    """One answer, past every cache; None where there was none."""
    body: dict[str, Any] = {
        "model": spec.model, "messages": _messages(spec, prompt), "temperature": 0,
        "max_tokens": spec.max_tokens, **spec.params,
    }  # fmt: skip
    if spec.logprobs:
        body["logprobs"] = True
    trace = secrets.token_hex(16)
    parent = f"00-{trace}-{secrets.token_hex(8)}-01"
    headers = {"cache-control": "no-store", "traceparent": parent}
    try:
        found = await client.post("/v1/chat/completions", json=body, headers=headers)
    except httpx.TransportError as away:
        raise Unavailable(f"the gateway does not answer: {away!r}") from None
    if not found.is_success:
        return None
    told = found.json()
    choice = (told.get("choices") or [{}])[0]
    tokens = (choice.get("logprobs") or {}).get("content") or []
    logprobs = [one["logprob"] for one in tokens if isinstance(one.get("logprob"), (int, float))]
    usage = told.get("usage") or {}
    counts = [int(usage.get(f"{side}_tokens") or 0) for side in ("prompt", "completion")]
    return {
        "text": str((choice.get("message") or {}).get("content") or ""),
        "model": str(told.get("model") or ""),
        "fingerprint": str(told.get("system_fingerprint") or ""),
        "logprob": sum(logprobs) / len(logprobs) if logprobs else None,
        "cost_nano": cost_of(spec.prices, spec.model, *counts) if any(counts) else None,
        "trace": found.headers.get("x-stockpot-trace-id", trace),
    }


def _messages(spec: CanarySpec, prompt: Any) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": spec.system}] if spec.system else []
    if isinstance(prompt, dict) and isinstance(prompt.get("messages"), list):
        return [*system, *prompt["messages"]]
    return [*system, {"role": "user", "content": last_text(prompt)}]


def _identity(spec: CanarySpec, prompts: Sequence[Any]) -> str:
    """Differs where a reference is of no use any more."""
    asked = spec.model_dump(
        mode="json", include={"model", "system", "params", "max_tokens", "logprobs"}
    )
    told = json.dumps([asked, list(prompts)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def _joined(runs: list[list[list[Answer]]], prompts: int) -> list[list[Answer]]:
    return [[answer for run in runs for answer in run[at]] for at in range(prompts)]


def _distances(answers: Sequence[Answer], apart: Any) -> Any:
    return np.array([[apart(one, other) for other in answers] for one in answers])


def _different(one: Answer, other: Answer) -> float:
    return float(one["text"].strip() != other["text"].strip())


def _longer(one: Answer, other: Answer) -> float:
    return abs(math.log1p(len(one["text"])) - math.log1p(len(other["text"])))


def _surer(one: Answer, other: Answer) -> float:
    return abs(float(one["logprob"]) - float(other["logprob"]))


def _cosines(matrix: Any) -> Any:
    sizes = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = matrix / np.where(sizes == 0, 1.0, sizes)
    apart = np.clip(1.0 - unit @ unit.T, 0.0, 2.0)
    return np.where(apart < 1e-6, 0.0, apart)


def _cost(answers: list[list[Answer]]) -> int | None:
    return total([answer.get("cost_nano") for told in answers for answer in told])


def _embedding_cost(spec: CanarySpec, tools: GatewayTools) -> int | None:
    if not tools.embedded_tokens:
        return 0
    return cost_of(spec.prices, spec.embedding, tools.embedded_tokens, 0)


def _spent(budget: Budget | None, cost: int | None) -> dict[str, int | None]:
    """A run's cost beside its budget, for whoever shows it; None where it is not known."""
    return {
        "nano": cost, "limit_nano": budget.limit_nano if budget else None,
        "day_nano": budget.spent_nano + (cost or 0) if budget else None,
    }  # fmt: skip
