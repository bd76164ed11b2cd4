"""`stockpot monitors list | show | create | change | remove | preview | alerts`."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.terminal import NUMBER, JsonFile, json_option, printed, say, show, when

_API = "/api/v1/monitors"
_METRICS = (
    "latency_p50", "latency_p95", "latency_p99", "ttft_p50", "ttft_p95", "ttft_p99", "tpot_p50",
    "tpot_p95", "tpot_p99", "error_rate", "calls", "cost", "tokens", "score_mean",
)  # fmt: skip
_SLICES = (
    "environment", "kind", "provider", "model", "key_id", "route", "prompt_name",
    "prompt_version", "experiment", "variant", "error",
)  # fmt: skip
_COLOURS = {"ok": "green", "resolved": "green", "pending": "yellow", "firing": "red"}


@click.group()
def monitors() -> None:
    """Watch figures, be told when they are beyond what is agreed, and silence that for a while.

    \b
    Example:
      stockpot monitors create slow --metric latency_p95 --above 2s --window 10m
      stockpot monitors list
    """


@monitors.command("list")
@click.option("--project", help="Only those of this project.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List monitors and how they stand.

    \b
    Example:
      stockpot monitors list --json
    """
    show(
        client.get(_API, project=project),
        (
            ("MONITOR", lambda m: m["name"]),
            ("PROJECT", lambda m: m["project"] or "(all)"),
            ("STATE", lambda m: m["standing"]["state"] if m["enabled"] else "disabled"),
            ("SINCE", lambda m: when(m["standing"]["since_ms"], "-")),
            ("VALUE", lambda m: value_of(m["rule"], m["standing"]["value"])),
            ("ALERTS AT", lambda m: rule_of(m["rule"])),
        ),
        as_json=as_json,
        empty="No monitors yet. Make one:  stockpot monitors create slow "
        "--metric latency_p95 --above 2s",
    )


@monitors.command("show")
@click.argument("monitor")
@json_option
@click.pass_obj
def show_(client: Client, monitor: str, as_json: bool) -> None:
    """Show how a monitor stands and its last alerts.

    \b
    Example:
      stockpot monitors show slow
    """
    found = named(client, monitor)
    last = client.get("/api/v1/alerts", monitor_id=found["id"], limit=5)
    if printed({"monitor": found, "alerts": last}, as_json=as_json):
        return
    standing = found["standing"]
    state = click.style(standing["state"], fg=_COLOURS.get(standing["state"]))
    click.echo(f"{found['name']} ({found['project'] or 'all projects'}): {state}")
    click.echo(f"  {rule_of(found['rule'])}")
    click.echo(f"  {standing['reason'] or 'not looked at yet'}")
    for alert in last:
        until = when(alert["resolved_ms"], "now")
        click.echo(f"  fired {when(alert['started_ms'])} to {until}: {alert['reason']}")


def _ruling(command: Any) -> Any:
    """The options that make a rule and a slice."""
    for option in (
        click.option("--file", type=JsonFile(dict), help="All of it as JSON; - is stdin."),
        click.option("--slice", "cuts", multiple=True, metavar="NAME=VALUE",
                     help=f"Only such calls: {', '.join(_SLICES)}."),
        click.option("--min-samples", type=int, help="Fewer calls than these tell nothing."),
        click.option("--bound", metavar="VALUE", help="What is slow, or a bad score, for --slo."),
        click.option("--indicator",
                     type=click.Choice(["errors", "latency", "ttft", "tpot", "score"]),
                     help="What makes a call bad, for --slo."),
        click.option("--slo", type=NUMBER, metavar="PERCENT",
                     help="Alert on the burn rate of this objective, such as 99.9."),
        click.option("--back-at", metavar="VALUE", help="Only here it is good again."),
        click.option("--for", "for_", metavar="TIME", help="It must last so long, such as 5m."),
        click.option("--window", metavar="TIME", help="Look at so much time; 5m."),
        click.option("--below", metavar="VALUE", help="Alert below this value."),
        click.option("--above", metavar="VALUE", help="Alert above this value: 800ms, 5%, $20."),
        click.option("--score", help="The score's name, for score_mean or --indicator score."),
        click.option("--metric", type=click.Choice(_METRICS), metavar="METRIC",
                     help=f"What to watch: {', '.join(_METRICS)}."),
    ):  # fmt: skip
        command = option(command)
    return command


def _settings(command: Any) -> Any:
    """The options of whatever else a monitor has."""
    for option in (
        click.option("--enabled/--disabled", default=None, help="Whether it is looked at."),
        click.option("--no-data", type=click.Choice(["keep", "resolve", "alert"]),
                     help="What silence means; keep."),
        click.option("--remind", metavar="TIME", help="Tell again so often; 4h. 0s: never."),
        click.option("--severity", type=click.Choice(["page", "ticket"]), help="How urgent."),
        click.option("--channel", "channels", multiple=True, help="Name of a channel to tell."),
        click.option("--description", help="What to do when it fires; sent with alerts."),
    ):  # fmt: skip
        command = option(command)
    return command


@monitors.command("create")
@click.argument("name")
@click.option("--project", default="default", show_default=True, help="'' watches all of them.")
@_ruling
@_settings
@json_option
@click.pass_obj
def create(client: Client, /, name: str, project: str, as_json: bool, **given: Any) -> None:
    """Create a monitor: a threshold on a metric, or the burn rate of an objective.

    \b
    Example:
      stockpot monitors create slow --metric latency_p95 --above 2s \\
        --window 10m --for 5m
      stockpot monitors create failing --slo 99.9 --slice environment=production
      stockpot monitors create dear --metric cost --above '$20' --window 1h \\
        --severity ticket
    """
    body = {"name": name, "project": project, **_told(client, given, project)}
    if "rule" not in body:
        raise InvalidInput("a monitor needs a rule", hint="--metric and --above, or --slo")
    made = client.post(_API, body)
    say(made, f"created the monitor {name}: {made['id']}", as_json=as_json)


@monitors.command("change")
@click.argument("monitor")
@click.option("--name", help="Another name.")
@_ruling
@_settings
@json_option
@click.pass_obj
def change(client: Client, /, monitor: str, name: str | None, as_json: bool, **given: Any) -> None:
    """Change what is given of a monitor.

    \b
    Example:
      stockpot monitors change slow --channel ops --remind 1h
      stockpot monitors change slow --disabled
    """
    found = named(client, monitor)
    kept = ("name", "description", "slice", "rule", "channels", "remind_s", "no_data", "enabled")
    body = {key: found[key] for key in kept} | _told(client, given, found["project"])
    if name is not None:
        body["name"] = name
    made = client.put(f"{_API}/{found['id']}", body)
    say(made, f"changed the monitor {made['name']}", as_json=as_json)


@monitors.command("remove")
@click.argument("monitor")
@click.pass_obj
def remove(client: Client, monitor: str) -> None:
    """Remove a monitor; its alerts stay in the history.

    \b
    Example:
      stockpot monitors remove slow
    """
    found = named(client, monitor)
    client.delete(f"{_API}/{found['id']}")
    click.echo(f"removed the monitor {found['name']}")


@monitors.command("preview")
@click.argument("monitor", required=False)
@click.option("--project", default="default", show_default=True, help="For a rule without monitor.")
@click.option("--hours", type=int, default=24, show_default=True, help="How far to look back.")
@_ruling
@json_option
@click.pass_obj
def preview(
    client: Client,
    /,
    monitor: str | None,
    project: str,
    hours: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Show when a monitor, or a rule that is given here, would have fired.

    \b
    Example:
      stockpot monitors preview slow --hours 48
      stockpot monitors preview --metric error_rate --above 5%
    """
    found = named(client, monitor) if monitor else {"project": project}
    body: dict[str, Any] = {
        key: found[key] for key in ("project", "slice", "rule", "no_data") if key in found
    }
    body |= _rule(given) | {"hours": hours}
    if "rule" not in body:
        raise InvalidInput("a preview needs a monitor or a rule", hint="--metric and --above")
    seen = client.post(f"{_API}/preview", body)
    if printed(seen, as_json=as_json):
        return
    click.echo(f"{seen['samples']} samples in {hours} h; {len(seen['episodes'])} alerts")
    for episode in seen["episodes"]:
        until = when(episode["until_ms"], "now")
        worst = value_of(body["rule"], episode["worst"])
        click.echo(f"  {when(episode['from_ms'])} to {until}  {episode['severity']}  worst {worst}")


@monitors.command("alerts")
@click.option("--project", help="Only those of this project.")
@click.option("--state", type=click.Choice(["firing", "resolved"]), help="Only those.")
@click.option("--limit", type=int, default=50, show_default=True, help="So many, newest first.")
@json_option
@click.pass_obj
def alerts(
    client: Client, project: str | None, state: str | None, limit: int, as_json: bool
) -> None:
    """List alerts, newest first.

    \b
    Example:
      stockpot monitors alerts --state firing
    """
    show(
        client.get("/api/v1/alerts", project=project, state=state, limit=limit),
        (
            ("MONITOR", lambda a: a["monitor"]),
            ("STATE", lambda a: a["state"] + (" (silenced)" if a["silenced"] else "")),
            ("SEVERITY", lambda a: a["severity"]),
            ("STARTED", lambda a: when(a["started_ms"])),
            ("RESOLVED", lambda a: when(a["resolved_ms"], "-")),
            ("WHY", lambda a: a["reason"]),
        ),
        as_json=as_json,
        empty="Nothing has fired yet.",
    )


# --- reading and writing rules --------------------------------------------------------------------


def named(client: Client, monitor: str) -> dict[str, Any]:
    """A monitor by its name or id."""
    rows: list[dict[str, Any]] = client.get(_API)
    found = [row for row in rows if monitor in (row["id"], row["name"])]
    if not found:
        near = did_you_mean(monitor, [row["name"] for row in rows])
        raise NotFound(f"no monitor {monitor!r}.{near}", hint="stockpot monitors list")
    if len(found) > 1:
        raise InvalidInput(f"{monitor!r} is in several projects", hint="give its id")
    return found[0]


def _told(client: Client, given: dict[str, Any], project: str) -> dict[str, Any]:
    """The members of a body that the options say."""
    body = _rule(given)
    for name in ("description", "no_data", "enabled"):
        if given[name] is not None:
            body[name] = given[name]
    if given["remind"] is not None:
        body["remind_s"] = milliseconds(given["remind"]) // 1000
    if given["channels"]:
        known = {row["name"]: row["id"] for row in client.get("/api/v1/channels", project=project)}
        body["channels"] = [known.get(name, name) for name in given["channels"]]
    if given["severity"] and body.get("rule", {}).get("kind") == "threshold":
        body["rule"]["severity"] = given["severity"]
    return body


def _rule(given: dict[str, Any]) -> dict[str, Any]:
    if given["file"]:
        return dict(given["file"])
    body: dict[str, Any] = {}
    if given["cuts"]:
        body["slice"] = dict(_cut(text) for text in given["cuts"])
    if given["slo"] is not None:
        body["rule"] = _burn(given)
    elif given["metric"]:
        body["rule"] = _threshold(given)
    return body


def _cut(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in _SLICES:
        near = did_you_mean(name, _SLICES)
        raise InvalidInput(f"{text!r} is not NAME=VALUE of a slice.{near}")
    return name, value


def _threshold(given: dict[str, Any]) -> dict[str, Any]:
    if (given["above"] is None) == (given["below"] is None):
        raise InvalidInput("a threshold is --above or --below a value")
    op = "above" if given["above"] is not None else "below"
    rule: dict[str, Any] = {"kind": "threshold", "metric": given["metric"], "op": op}
    rule["threshold"] = amount(given[op])
    if given["back_at"] is not None:
        rule["back_at"] = amount(given["back_at"])
    for option, name in (("window", "window_s"), ("for_", "for_s")):
        if given[option] is not None:
            rule[name] = milliseconds(given[option]) // 1000
    return _common(rule, given)


def _burn(given: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"kind": "burn_rate", "objective": round(given["slo"] / 100, 9)}
    rule["indicator"] = given["indicator"] or "errors"
    if given["bound"] is not None:
        rule["bound"] = amount(given["bound"])
    return _common(rule, given)


def _common(rule: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    if given["score"]:
        rule["score"] = given["score"]
    if given["min_samples"] is not None:
        rule["min_samples"] = given["min_samples"]
    return rule


def amount(text: str) -> float:
    """`800ms` and `2s` as milliseconds, `5%` as 0.05, `$20` as nano-dollars, else a number."""
    scales = (("ms", 1.0), ("s", 1000.0), ("%", 0.01))
    try:
        if text.startswith("$"):
            return float(text[1:]) * 1e9
        for unit, scale in scales:
            if text.endswith(unit):
                return round(float(text.removesuffix(unit)) * scale, 9)
        return float(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a value; write 800ms, 2s, 5%, $20 or 100") from None


def value_of(rule: dict[str, Any], value: float | None) -> str:
    """A value with its unit; a burn rate as so many times."""
    if value is None:
        return "-"
    if rule["kind"] == "burn_rate":
        return f"{value:.3g}x"
    match rule["metric"]:
        case "error_rate":
            return f"{value * 100:.3g} %"
        case "cost":
            return f"${value / 1e9:.4g}"
        case "calls" | "tokens" | "score_mean":
            return f"{value:,.6g}"
        case _:
            return f"{value:,.4g} ms"


def rule_of(rule: dict[str, Any]) -> str:
    """A rule in a few words."""
    if rule["kind"] == "burn_rate":
        about = rule["score"] or rule["indicator"]
        return f"{about} SLO {rule['objective'] * 100:.6g} %"
    about = rule["score"] or rule["metric"]
    sign = ">" if rule["op"] == "above" else "<"
    minutes = rule["window_s"] // 60
    return f"{about} {sign} {value_of(rule, rule['threshold'])} over {minutes} min"
