"""`stockpot eval compare`, `list`, `runs`, `show`, `rows`, `scorers`, `velocity`."""

from __future__ import annotations

import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.terminal import NUMBER, Number, json_option, printed, show, when
from stockpot.evals.cli.showing import certificate_column, show_gate, show_metrics
from stockpot.evals.reports import interval, number
from stockpot.traces import badge_words

_API = "/api/v1/evals"
_DAY_MS = 86_400_000
project_option = click.option("--project", default="default", show_default=True)


@click.command("compare")
@click.argument("base")
@click.argument("candidate")
@click.option("--confidence", type=Number(0.5, 0.9999), default=0.95, show_default=True)
@click.option("--slice", "part", help="One slice alone, such as metadata.language=de.")
@json_option
@click.pass_obj
def compare(
    client: Client, base: str, candidate: str, confidence: float, part: str | None, as_json: bool
) -> None:
    """Compare two runs on the rows that both have: paired, with intervals, adjusted for the number
    of comparisons.

    \b
    Example:
      stockpot eval compare run_0a1b2c3d4e5f6g7h8j9k run_1a1b2c3d4e5f6g7h8j9k
    """
    told = client.get(
        f"{_API}/compare", base=base, candidate=candidate, confidence=confidence, slice=part
    )
    if printed(told, as_json=as_json):
        return
    _show_compared(told)


def _show_compared(told: dict[str, Any]) -> None:
    for warning in told["warnings"]:
        click.secho(f"! {warning}", fg="yellow")
    differs = ", ".join(told["differs"]) or "nothing that is recorded"
    click.echo(f"{told['paired']} rows in both; the runs differ in {differs}.")
    show(
        told["metrics"],
        (
            ("METRIC", lambda m: m["metric"]),
            ("SLICE", lambda m: m["slice"]),
            ("BASE", lambda m: number(m["base"], m["unit"])),
            ("NOW", lambda m: number(m["candidate"], m["unit"])),
            ("DIFFERENCE", lambda m: number(m["difference"], m["unit"])),
            ("INTERVAL", lambda m: interval(m["low"], m["high"], m["unit"])),
            ("P", lambda m: f"{m['p_adjusted']:.3g}"),
            ("TEST", lambda m: m["test"]),
            ("VERDICT", lambda m: m["verdict"]),
            *certificate_column(told["metrics"]),
        ),
        as_json=False,
        empty="No metric is in both.",
    )
    for case in told["cases"][:10]:
        was, now = case["base"]["value"], case["candidate"]["value"]
        score = f"{number(was)} -> {number(now)}"
        reason = case["candidate"]["reason"][:100]
        click.echo(f"{case['change']:6}  {case['item']}  {case['metric']}  {score}  {reason}")


@click.command("list")
@project_option
@json_option
@click.pass_obj
def list_(client: Client, project: str, as_json: bool) -> None:
    """List the suites of a project.

    \b
    Example:
      stockpot eval list
    """
    show(
        client.get(f"{_API}/suites", project=project),
        (
            ("SUITE", lambda s: s["spec"]["name"]),
            ("DATA SET", lambda s: s["spec"]["dataset"] or "(a file)"),
            ("TARGET", lambda s: _target(s["spec"]["target"])),
            ("SCORERS", lambda s: ", ".join(x["name"] or x["use"] for x in s["spec"]["scorers"])),
            ("LAST RUN", lambda s: s["last_run"] or ""),
        ),
        as_json=as_json,
        empty="No suites yet. Run one from a file:  stockpot eval run evals/menu.toml",
    )


@click.command("runs")
@project_option
@click.option("--suite", help="Of this suite alone.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@click.pass_obj
def runs(client: Client, project: str, suite: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first.

    \b
    Example:
      stockpot eval runs --suite menu
    """
    show(
        client.get(f"{_API}/runs", project=project, suite=suite, limit=limit),
        (
            ("RUN", lambda r: r["id"]),
            ("SUITE", lambda r: r["suite"]),
            ("WHAT", lambda r: _arm(r["arm"])),
            ("STATE", lambda r: r["state"]),
            ("ROWS", lambda r: f"{r['progress']['done']}/{r['progress']['rows']}"),
            ("FIRST METRIC", _first),
            ("GATE", lambda r: "" if not r["gate"] else (
                "passed" if r["gate"]["passed"] else "failed")),
            ("WHEN", lambda r: when(r["created_ms"])),
        ),
        as_json=as_json,
        empty="No runs yet. Start one:  stockpot eval run SUITE",
    )  # fmt: skip


@click.command("show")
@click.argument("run_id", metavar="RUN")
@json_option
@click.pass_obj
def show_run(client: Client, run_id: str, as_json: bool) -> None:
    """Show a run: its metrics with intervals, and its gate.

    \b
    Example:
      stockpot eval show run_0a1b2c3d4e5f6g7h8j9k
    """
    told = client.get(f"{_API}/runs/{run_id}")
    if printed(told, as_json=as_json):
        return
    show_metrics(told)
    show_gate(told["gate"])


@click.command("rows")
@click.argument("run_id", metavar="RUN")
@click.option("--failed", is_flag=True, default=None, help="Only rows without an answer.")
@click.option("--metric", help="Only rows that have a score of this metric.")
@click.option("--below", type=NUMBER, help="With --metric: only lower scores.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@click.pass_obj
def rows(client: Client, /, run_id: str, as_json: bool, **asked: Any) -> None:
    """List the rows of a run with their scores.

    \b
    Example:
      stockpot eval rows run_0a1b2c3d4e5f6g7h8j9k --metric exact --below 1
    """
    page = client.get(f"{_API}/runs/{run_id}/rows", **asked)
    show(
        page["items"],
        (
            ("ROW", lambda r: r["item"]),
            ("SCORES", lambda r: ", ".join(f"{n}={_score(v)}" for n, v in r["scores"].items())),
            ("OUTPUT", lambda r: (r["error"] or r["output"]).replace("\n", " ")[:80]),
            ("TRACE", lambda r: r["trace_id"]),
        ),
        as_json=as_json,
        empty="No such rows.",
    )
    if not as_json:
        for metric, badge in page["badges"].items():
            click.echo(f"{metric}: {badge['judge']}, {badge_words(badge)} ({badge['words']})")


@click.command("scorers")
@json_option
@click.pass_obj
def scorers(client: Client, as_json: bool) -> None:
    """List the scorers that are installed, with their options.

    \b
    Example:
      stockpot eval scorers
    """
    show(
        client.get(f"{_API}/scorers"),
        (
            ("SCORER", lambda s: s["name"]),
            ("GIVES", lambda s: s["returns"]),
            ("OPTIONS", lambda s: ", ".join(s["options"])),
            ("WHAT", lambda s: s["about"].split(". ")[0][:90]),
        ),
        as_json=as_json,
        empty="No scorers.",
    )


@click.command("velocity")
@project_option
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@json_option
@click.pass_obj
def velocity(client: Client, project: str, days: int, as_json: bool) -> None:
    """Show how long ideas take to production, how often a release fails, and how long restoring
    takes, and the releases behind it.

    \b
    Example:
      stockpot eval velocity --days 90
    """
    now_ms = time.time() * 1000
    told = client.get(
        f"{_API}/velocity", project=project, from_ms=now_ms - days * _DAY_MS, to_ms=now_ms
    )
    if printed(told, as_json=as_json):
        return
    share = told["failed_share"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(told["by_kind"].items()))
    click.echo(f"releases            {told['releases']}{kinds and f' ({kinds})'}, "
               f"{told['releases_with_proof']} with proof")  # fmt: skip
    click.echo(f"failed              {told['failed']}"
               + ("" if share is None else f" ({100 * share:.0f} %)"))  # fmt: skip
    for name, words in (("idea_to_production", "idea to production"), ("restore", "restored in")):
        click.echo(f"{words:19} {_lead(told[name])}")
    click.echo(f"runs                {told['runs']}, {told['gated']} gated, "
               f"{told['gates_passed']} passed\n")  # fmt: skip
    show(
        told["latest"],
        (
            ("RELEASED", lambda r: when(r["at_ms"])),
            ("WHAT", _released),
            ("BEFORE", lambda r: "-" if r["before"] is None else r["before"]),
            ("FROM IDEA", lambda r: "-" if r["lead_hours"] is None else hours(r["lead_hours"])),
            ("PROOF", lambda r: r["proof"] or r["experiment"] or "-"),
            ("TAKEN BACK", _taken_back),
        ),
        as_json=False,
        empty=f"No release in {days} days. Make one:  stockpot prompts label NAME production",
    )


def _lead(lead: dict[str, Any]) -> str:
    if lead["median_hours"] is None:
        return "-"
    return f"{hours(lead['median_hours'])} (median), {hours(lead['p90_hours'])} (9 in 10)"


def _released(release: dict[str, Any]) -> str:
    to = "@" if release["kind"] == "label" else " -> "
    return f"{release['name']}{to}{release['after']}"


def _taken_back(release: dict[str, Any]) -> str:
    if not release["failed"]:
        return ""
    return f"to {release['restored_to']} after {hours(release['restore_hours'])}"


def hours(value: float) -> str:
    """A time in hours in the unit that tells most."""
    if value * 60 < 1:
        return f"{value * 3600:.0f} s"
    if value < 1:
        return f"{value * 60:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} d"


def _target(target: dict[str, Any]) -> str:
    return str(target["prompt"] or target["model"] or target["url"] or target["callable"]
               or target["kind"])  # fmt: skip


def _arm(arm: dict[str, Any]) -> str:
    if arm.get("prompt"):
        return f"{arm['prompt']}@{arm['prompt_version']}"
    return str(arm.get("model") or arm.get("url") or arm.get("callable") or arm["kind"])


def _first(run: dict[str, Any]) -> str:
    if not run["metrics"]:
        return ""
    one = run["metrics"][0]
    badge = f" ({badge_words(one['badge'])})" if one.get("badge") else ""
    return f"{one['metric']} {number(one['value'], one['unit'])}{badge}"


def _score(verdict: dict[str, Any]) -> str:
    return verdict["label"] if verdict["value"] is None else f"{verdict['value']:.3g}"
