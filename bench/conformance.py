"""Runs the conformance suite in full and writes what came out as a page of the reference.

    .venv/bin/python bench/conformance.py [--json FILE]
    bench/peers/setup.sh && .venv/bin/python bench/conformance.py --litellm [--json FILE]

The suite drives the stock SDKs through a real worker to a stand-in of each vendor; see
`tests/integration/conformance`. A pair's share is of the cases that its client can ask; what is
left out aloud or refused in plain words counts as green and is listed. With `--litellm` the cases
go through LiteLLM instead, see `bench/peers/conformance_litellm.py`. Each run rewrites its own half
of the page and keeps the other.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PAGE = REPO / "docs/reference/conformance.md"
SDKS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google-genai"}
NPM = {"openai": "openai", "anthropic": "@anthropic-ai/sdk"}
TITLES = {
    "openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini", "bedrock": "Bedrock",
    "azure": "Azure OpenAI",
}  # fmt: skip

Outcome = dict[str, str]


def run(into: Path) -> int:
    """The whole suite, what is nightly included."""
    argv = [
        sys.executable, "-m", "pytest", "-q", "-n0", "--nightly", "-p", "no:randomly",
        "tests/integration/conformance",
    ]  # fmt: skip
    environ = {**os.environ, "STOCKPOT_CONFORMANCE": str(into)}
    return subprocess.run(argv, cwd=REPO, env=environ, check=False).returncode


def sdks() -> dict[tuple[str, str], str]:
    """What to call each SDK, by language and client."""
    found = {
        ("", client): f"`{package}` {importlib.metadata.version(package)}"
        for client, package in SDKS.items()
    }
    for client, package in NPM.items():
        manifest = REPO / "tests/npm/node_modules" / package / "package.json"
        if manifest.exists():
            version = json.loads(manifest.read_text())["version"]
            found["npm", client] = f"`{package}` {version} (npm)"
    return found


def shares(outcomes: list[Outcome]) -> list[str]:
    """A table of SDKs by upstreams."""
    upstreams = list(dict.fromkeys(o["upstream"] for o in outcomes))
    lines = [f"| SDK | {' | '.join(TITLES[name] for name in upstreams)} |"]
    lines.append("|---" * (len(upstreams) + 1) + "|")
    for (language, client), title in sdks().items():
        mine = [o for o in outcomes if (o.get("language", ""), o["client"]) == (language, client)]
        if mine:
            cells = [_share([o for o in mine if o["upstream"] == name]) for name in upstreams]
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _share(outcomes: list[Outcome]) -> str:
    green = sum(o["result"] != "fails" for o in outcomes)
    return f"{100 * green / len(outcomes):.0f} % ({green}/{len(outcomes)})" if outcomes else "-"


def stated(outcomes: list[Outcome]) -> list[str]:
    """What is left out or refused, a line per case and result."""
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for o in outcomes:
        if o["result"] not in ("passes", "fails"):
            pair = f"{TITLES[o['client']]} to {TITLES[o['upstream']]}"
            if pair not in pairs[o["case"], o["result"]]:
                pairs[o["case"], o["result"]].append(pair)
    lines = ["| case | what happens | from client to upstream |", "|---|---|---|"]
    for (case, result), found in sorted(pairs.items()):
        lines.append(f"| {case} | {result} | {', '.join(sorted(found))} |")
    return lines


def failed(outcomes: list[Outcome]) -> list[str]:
    names = sorted(
        f"- {o['case']}, {o['mode']}: {TITLES[o['client']]} to {TITLES[o['upstream']]}"
        for o in outcomes
        if o["result"] == "fails"
    )
    return ["", "## What fails", "", *names] if names else []


BESIDE = "## The same cases through LiteLLM"


_RULES = (
    "The Python SDKs ask the same cases in the same modes; the same stand-ins answer. The",
    "proxy has a list of models, by names that it knows, with addresses and keys. Retries and",
    "cooldowns are off. For clients in Anthropic's format it asks OpenAI by Chat Completions,",
    "as the stand-in plays nothing else. The rest is as it comes: `drop_params` is off.",
    "",
    "A case is green when the SDK understands the answer in full and the upstream received all",
    "that was asked, or when the proxy refuses the request itself. Errors may come with a",
    "neighbouring status; cached tokens are looked at in the case of that name alone.",
    "",
    "Where the upstream's format has no word for what is asked, as OpenAI's has none for a",
    "failed result, the first table counts that the gateway says so; LiteLLM has no header",
    "for it, and the case is not green.",
    "",
)
"""How LiteLLM is asked, and what counts."""


def beside(outcomes: list[Outcome], version: str, left_out: dict[tuple[str, str, str], str]) -> str:
    """The half of the page about LiteLLM."""
    return "\n".join([
        BESIDE,
        "",
        f"LiteLLM's proxy {version}, run by `bench/conformance.py --litellm` on "
        f"{time.strftime('%Y-%m-%d')}: {len(outcomes)} runs.",
        "",
        *_RULES,
        "Not run, as the stand-ins cannot play them fairly:",
        "",
        *(
            f"- {case}{_where(client, upstream)}: {why}"
            for (case, client, upstream), why in left_out.items()
        ),
        "",
        *shares(outcomes),
        "",
        "### What was seen where a case is not green",
        "",
        "A run is listed by what was seen first; counts of tokens are looked at before the text.",
        "In streams to `google-genai` they are absent, which is most of the first line.",
        "",
        "| what was seen | runs | client | upstreams | cases |",
        "|---|---|---|---|---|",
        *_reasons(outcomes),
        "",
    ])  # fmt: skip


def _where(client: str, upstream: str) -> str:
    return "" if client == "*" else f", {TITLES[client]} to {TITLES[upstream]}"


def _reasons(outcomes: list[Outcome]) -> list[str]:
    """A line per reason and client, the most frequent ones first."""
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for o in outcomes:
        if o["result"] == "fails":
            reason = ": ".join(o["why"].split(": ")[:2]).splitlines()[0].replace("|", "/")
            found[reason, o["client"]].append(o)
    lines = []
    for (reason, client), rows in sorted(found.items(), key=lambda row: -len(row[1])):
        where = ", ".join(dict.fromkeys(TITLES[o["upstream"]] for o in rows))
        cases = ", ".join(dict.fromkeys(o["case"] for o in rows))
        lines.append(f"| {reason} | {len(rows)} | {TITLES[client]} | {where} | {cases} |")
    return lines


def page(outcomes: list[Outcome]) -> str:
    cases = list(dict.fromkeys(o["case"] for o in outcomes))
    modes = list(dict.fromkeys(o["mode"] for o in outcomes))
    day = time.strftime("%Y-%m-%d")
    return "\n".join([
        "# Conformance",
        "",
        f"Written by `bench/conformance.py` on {day}: {len(outcomes)} runs of {len(cases)} cases.",
        "",
        "Each case is asked with a vendor's own SDK through a running worker and answered by a",
        "stand-in of the upstream that checks every request with that vendor's published types.",
        "A case is green when the SDK understands the answer in full and the upstream received all",
        "that was asked, or when the gateway says what it left out, or refuses in plain words.",
        "",
        "## Share of cases that are green",
        "",
        *shares(outcomes),
        "",
        f"Each case runs in every mode that it has: {', '.join(modes)}.",
        "",
        "## What is stated instead of done",
        "",
        "What is left out stands in the answer's header `x-stockpot-degraded` and in the trace; a",
        "route may refuse such requests instead (`degrade`).",
        "",
        *stated(outcomes),
        *failed(outcomes),
        "",
        "## The cases",
        "",
        *(f"- {case}" for case in cases),
        "",
    ])  # fmt: skip


def litellm(folder: Path) -> tuple[list[Outcome], str]:
    """Outcomes through LiteLLM, and what the page says of them."""
    sys.path.insert(0, str(REPO / "bench/peers"))
    import conformance_litellm as peer

    outcomes = peer.run(folder)
    return outcomes, beside(outcomes, peer.version(), peer.LEFT_OUT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="keep the outcomes in this file")
    parser.add_argument("--litellm", action="store_true", help="run LiteLLM instead of stockpot")
    arguments = parser.parse_args()
    code = 0
    ours, mark, theirs = PAGE.read_text().partition(BESIDE)
    with tempfile.TemporaryDirectory() as folder:
        into = arguments.json or Path(folder) / "outcomes.json"
        if arguments.litellm:
            outcomes, text = litellm(Path(folder))
            into.write_text(json.dumps(outcomes, indent=1, ensure_ascii=False))
            PAGE.write_text(f"{ours.rstrip()}\n\n{text}")
        else:
            code = run(into)
            text = page(json.loads(into.read_text()))
            PAGE.write_text(f"{text}\n{mark}{theirs}" if mark else text)
    return code


if __name__ == "__main__":
    sys.exit(main())
