"""The one screen of `stockpot up`. Knows how facts look; asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stockpot.up.demo.seeding import Demo
    from stockpot.up.facts import Facts, ModelLine

Line = tuple[str, str]
"""A style of rich and a text; styles vanish where the output is not a terminal."""


def as_json(facts: Facts) -> str:
    """One line for scripts."""
    return msgspec.json.encode({"ready": True, **msgspec.to_builtins(facts)}).decode()


def lines(facts: Facts) -> Iterator[Line]:
    """The screen. Snippets stand without a frame, so that they can be copied."""
    yield "bold green", f"stockpot {facts.version} is ready after {facts.seconds:.1f} s."
    yield "", ""
    for label, text in _addresses(facts):
        yield "", f"  {label:9} {text}"
    if facts.demo is not None:
        yield from _demo(facts, facts.demo)
    elif facts.key:
        yield from _snippets(facts)
    if facts.notices:
        yield "", ""
        for notice in facts.notices:
            yield "yellow", f"! {notice}"
    yield "", ""
    yield "dim", "Ctrl-C stops; calls in flight may finish."


def show(lines: Iterable[Line]) -> None:
    """Print to the terminal in colour, elsewhere as plain text."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for style, text in lines:
        console.print(text, style=style or None, markup=False)


def _addresses(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "Console", facts.console_url
    if facts.sign_in_url:
        yield "Sign in", f"{facts.sign_in_url}  (works once)"
    yield "Gateway", f"{facts.gateway_url}/v1"
    if facts.models:
        yield "Models", _models(facts)
    for i, line in enumerate(facts.found):
        yield "" if i else "Found", line
    yield "Logs", facts.logs


def _models(facts: Facts) -> str:
    """The model to begin with, then others that run here; vendors' are counted by `found`."""
    here = [m for m in facts.models if m.origin in ("engine", "local", "alias")]
    here.sort(key=lambda m: (m.name != facts.model, m.name))
    rest = len(facts.models) - len(here[:8])
    more = f" and {rest} more names (stockpot aliases list --all)" if rest else ""
    return ", ".join(_model(model) for model in here[:8]) + more


def _model(model: ModelLine) -> str:
    kind = "small smoke model" if model.smoke else ("" if model.kind == "chat" else model.kind)
    return f"{model.name} ({kind})" if kind else model.name


def _snippets(facts: Facts) -> Iterator[Line]:
    yield "", ""
    yield "bold", "Call it with curl"
    for text in curl(facts).splitlines():
        yield "cyan", text
    yield "", ""
    yield "bold", "or with the OpenAI SDK"
    for text in python(facts).splitlines():
        yield "cyan", text


def _demo(facts: Facts, demo: Demo) -> Iterator[Line]:
    yield "", ""
    yield "bold", f"Demo: guests ask about menus, in the project {demo.project}. Ask as one of them"
    for text in asked(facts, demo).splitlines():
        yield "cyan", text
    yield "", ""
    yield "bold", "then"
    for command, what in _steps(demo):
        yield "", f"  {command}"
        yield "dim", f"      {what}"


def _steps(demo: Demo) -> Iterator[tuple[str, str]]:
    yield (
        f"stockpot rightsize {demo.project} --baseline {demo.alias} "
        f"--candidates recorded/chef-small,recorded/chef-tiny --dataset {demo.dataset} "
        f"--suite {demo.suite} --margin 0.1",
        "which model is the cheapest that is still good enough, with intervals",
    )
    yield (
        f"stockpot experiments report {demo.experiment} --project {demo.project}",
        "the running A/B of two prompt versions; looking at any time is safe",
    )
    yield "stockpot demo break", "spoil the candidate: the label goes back by itself"
    yield "stockpot traces verify", "no record is lost, whatever was killed meanwhile"


def asked(facts: Facts, demo: Demo) -> str:
    """A program that works as it is, and prints where its trace opens."""
    return f"""\
from openai import OpenAI
client = OpenAI(
    base_url="{facts.gateway_url}/v1",
    api_key="{demo.key}")
reply = client.chat.completions.with_raw_response.create(
    model="prompt:{demo.prompt}", messages=[],
    extra_body={{"prompt_variables": {{"question": "{demo.question}"}}}})
print(reply.parse().choices[0].message.content)
print("{facts.console_url}/traces/" + reply.headers["x-stockpot-trace-id"])
"""


def curl(facts: Facts) -> str:
    """A command that works as it is."""
    return f"""\
curl {facts.gateway_url}/v1/chat/completions \\
  -H "Authorization: Bearer {facts.key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{facts.model}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


def python(facts: Facts) -> str:
    """A program that works as it is."""
    return f"""\
from openai import OpenAI
client = OpenAI(
    base_url="{facts.gateway_url}/v1",
    api_key="{facts.key}")
answer = client.chat.completions.create(
    model="{facts.model}", messages=[{{"role": "user", "content": "Say hello."}}])
print(answer.choices[0].message.content)
"""
