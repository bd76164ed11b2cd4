"""A gate's word as JUnit for CI and as Markdown for people. Pure text."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from stockpot.traces import badge_words


def number(value: float | None, unit: str = "score") -> str:
    """A metric's value as a person reads it."""
    if value is None:
        return "-"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "ms":
        return f"{value:.0f} ms"
    if unit == "nano":
        return f"${value / 1e9:.6f}"
    return f"{value:.4g}"


def interval(low: float | None, high: float | None, unit: str = "score") -> str:
    """Both ends, or nothing where there are none."""
    return "" if low is None or high is None else f"[{number(low, unit)}, {number(high, unit)}]"


def junit(run: dict[str, Any], gate: dict[str, Any]) -> str:
    """One test case for each check; the cases that speak against it stand in its failure."""
    checks = gate["checks"]
    failed = sum(not check["passed"] for check in checks)
    seconds = run["progress"]["seconds"]
    suite = quoteattr(f"stockpot.{run['suite']}")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites tests="{len(checks)}" failures="{failed}">',
        f'<testsuite name={suite} tests="{len(checks)}" failures="{failed}" time="{seconds:.3f}">',
    ]
    for check in checks:
        name = check["metric"] + (f" [{check['slice']}]" if check["slice"] else "")
        beside = f" [{badge_words(check['badge'])}]" if check.get("badge") else ""
        title = quoteattr(f"{name}: {check['rule']}{beside}")
        lines.append(f"<testcase classname={suite} name={title}>")
        if not check["passed"]:
            cases = [case for case in gate["cases"] if case["metric"] == check["metric"]]
            body = "\n".join(_case_line(case) for case in cases)
            lines.append(f"<failure message={quoteattr(check['words'])}>{_text(body)}</failure>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def markdown(run: dict[str, Any], gate: dict[str, Any] | None) -> str:
    """A run with its metrics, and its gate, for a pull request."""
    word = "" if gate is None else (" passed" if gate["passed"] else " FAILED")
    lines = [f"## {run['suite']}:{word or ' ' + run['state']}", "", f"Run `{run['id']}`"]
    if gate and gate["base"]:
        lines[-1] += f" against `{gate['base']}`"
    lines += ["", "| metric | value | interval | n | certificate |", "|---|---|---|---|---|"]
    for one in run["metrics"]:
        name = one["metric"] + (f" ({one['slice']})" if one["slice"] else "")
        value, unit = number(one["value"], one["unit"]), one["unit"]
        lines.append(f"| {_cell(name)} | {value} | {interval(one['low'], one['high'], unit)} "
                     f"| {one['n']} | {_cell(badge_words(one.get('badge')))} |")  # fmt: skip
    for one in run.get("judges") or ():
        lines += ["", _judge_line(one)]
    if gate is not None:
        lines += ["", *_gate_lines(gate)]
    return "\n".join([*lines, ""])


def _judge_line(one: dict[str, Any]) -> str:
    """How a judge fared: no verdict of it is told without this."""
    tally, badge = one["tally"], one["badge"]
    why = f" ({badge['words']})" if badge else ""
    return (
        f"`{one['metric']}` is judged by `{one['judge']}`: {badge_words(badge)}{why}. "
        f"{tally['judged']} of {tally['rows']} rows have a verdict; {tally['unread']} of "
        f"{tally['calls']} calls could not be read and are missing, not 0."
    )


def _gate_lines(gate: dict[str, Any]) -> list[str]:
    lines = [f"> {warning}" for warning in gate["warnings"]]
    lines += ["", "| | check | rule |", "|---|---|---|"]
    for check in gate["checks"]:
        mark = "ok" if check["passed"] else "**FAILED**"
        lines.append(f"| {mark} | {_cell(check['words'])} | {check['rule']} |")
    if gate["cases"]:
        lines += ["", "| case | metric | before | now | reason |", "|---|---|---|---|---|"]
        for case in gate["cases"]:
            before, now = number(case["base"]), number(case["candidate"])
            lines.append(f"| {_cell(case['item'])} | {_cell(case['metric'])} | {before} | {now} "
                         f"| {_cell(case['reason'])} |")  # fmt: skip
    return lines


def _case_line(case: dict[str, Any]) -> str:
    before = "" if case["base"] is None else f" {number(case['base'])} ->"
    return f"{case['item']}:{before} {number(case['candidate'])}  {case['reason']}"


def _text(text: str) -> str:
    # XML 1.0 has no word for most control characters, even as entities.
    return escape("".join(c for c in text if c in "\t\n\r" or ord(c) >= 32))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
