"""The verbs that all checks have, as commands: a group for each kind. Knows the API's paths.

What differs from kind to kind is a row of words; a file says what is put.
"""

from __future__ import annotations

import sys
import time
import tomllib
from typing import IO, Any, NamedTuple

import click

from stockpot.core.client import Client
from stockpot.core.dollars import dollars
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.terminal import json_option, printed, show, when
from stockpot.traces import badge_words

_LOOK_S = 0.5
PUT = {"online": "online", "drift": "drift", "canary": "canaries", "pipeline": "pipelines"}
"""The path that puts a check of each kind, which is also its group's name."""

_PLURAL = {"trigger": "triggers", "step": "steps"}
"""Tables of a file, which are written one by one, and the fields that they become."""


class Words(NamedTuple):
    """What a group says of its kind."""

    kind: str
    about: str
    noun: str
    file: str


def group_of(words: Words) -> click.Group:
    """`stockpot GROUP apply | list | run | runs | remove`."""
    name = PUT[words.kind]

    @click.group(name, help=f"{words.about}\n\n\b\nExample:\n  stockpot {name} apply {words.file}")
    def group() -> None:
        pass

    for make in (_apply, _list, _run, _runs, _remove):
        group.add_command(make(words, name))
    return group


def read_file(file: IO[bytes], kinds: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """The checks of some kinds that a TOML file declares, each with its kind."""
    try:
        told = tomllib.load(file)
    except tomllib.TOMLDecodeError as bad:
        raise InvalidInput(f"{file.name} is no TOML: {bad}") from None
    found = []
    for kind, tables in told.items():
        if kind not in PUT:
            near = did_you_mean(kind, PUT)
            raise InvalidInput(f"{file.name}: there is no kind {kind!r}.{near}")
        for table in tables if isinstance(tables, list) else [tables]:
            body = {_PLURAL.get(name, name): value for name, value in table.items()}
            if kind in kinds:
                found.append((kind, body))
    if not found:
        raise InvalidInput(f"{file.name} declares no {' or '.join(kinds)}: write [[{kinds[0]}]]")
    return found


def _apply(words: Words, name: str) -> click.Command:
    kinds = tuple(PUT) if words.kind == "pipeline" else (words.kind,)
    more = " Tables of the other kinds are put as well." if words.kind == "pipeline" else ""
    text = (
        f"Put what a TOML file declares; the same name again changes it.{more}"
        f"\n\n\b\nExample:\n  stockpot {name} apply {words.file}"
    )

    @click.command("apply", help=text)
    @click.argument("file", type=click.File("rb"))
    @click.option("--project", help="Instead of the one that the file names.")
    @json_option
    @click.pass_obj
    def apply(client: Client, file: IO[bytes], project: str | None, as_json: bool) -> None:
        made = []
        wanted = sorted(read_file(file, kinds), key=lambda one: one[0] == "pipeline")
        for kind, body in wanted:
            body = {**body, "project": project} if project else body
            made.append(client.put(f"/api/v1/{PUT[kind]}", body))
        if printed(made, as_json=as_json):
            return
        for one in made:
            click.echo(f"put the {one['kind']} {one['name']} of {one['project']}: {due(one)}")

    return apply


def _list(words: Words, name: str) -> click.Command:
    text = f"List them with what the last run found.\n\n\b\nExample:\n  stockpot {name} list"

    @click.command("list", help=text)
    @click.option("--project", help="Those of this project.")
    @json_option
    @click.pass_obj
    def list_(client: Client, project: str | None, as_json: bool) -> None:
        show(
            client.get("/api/v1/checks", kind=words.kind, project=project),
            (
                ("NAME", lambda c: c["name"]),
                ("PROJECT", lambda c: c["project"]),
                ("DUE", due),
                ("LAST", lambda c: when((c["last"] or {}).get("created_ms"))),
                ("STATE", lambda c: state(c["last"])),
                ("FOUND", lambda c: (c["last"] or {}).get("words", "")),
                ("JUDGES", judges),
            ),
            as_json=as_json,
            empty=f"No {words.noun} yet. Declare one:  stockpot {name} apply {words.file}",
        )

    return list_


def _run(words: Words, name: str) -> click.Command:
    text = (
        "Do it now and wait for what it finds; exit code 1 when it alarms or fails."
        f"\n\n\b\nExample:\n  stockpot {name} run NAME"
    )

    @click.command("run", help=text)
    @click.argument("check")
    @click.option("--project", help="The project, where the name alone is not plain.")
    @click.option("--detach", is_flag=True, help="Start it, and do not wait.")
    @json_option
    @click.pass_obj
    def run(client: Client, check: str, project: str | None, detach: bool, as_json: bool) -> None:
        found = named(client, words.kind, check, project)
        made = client.post(f"/api/v1/checks/{found['id']}/runs")
        while not detach and made["state"] in ("queued", "running"):
            time.sleep(_LOOK_S)
            made = client.get(f"/api/v1/check-runs/{made['id']}")
        if not printed(made, as_json=as_json):
            click.echo(told(made))
        if not as_json and (certificates := judges(found)):
            click.echo(f"  judged by {certificates}")
        if made["state"] == "failed" or made["alarm"]:
            sys.exit(1)

    return run


def _runs(words: Words, name: str) -> click.Command:
    text = f"List runs, newest first.\n\n\b\nExample:\n  stockpot {name} runs NAME"

    @click.command("runs", help=text)
    @click.argument("check")
    @click.option("--project", help="The project, where the name alone is not plain.")
    @click.option("--limit", type=int, default=20, show_default=True, help="So many.")
    @json_option
    @click.pass_obj
    def runs(client: Client, check: str, project: str | None, limit: int, as_json: bool) -> None:
        found = named(client, words.kind, check, project)
        show(
            client.get(f"/api/v1/checks/{found['id']}/runs", limit=limit),
            (
                ("RUN", lambda r: r["id"]),
                ("WHEN", lambda r: when(r["created_ms"])),
                ("CAUSE", lambda r: r["cause"]),
                ("STATE", state),
                ("COST", cost),
                ("FOUND", lambda r: r["words"] or r["error"]),
            ),
            as_json=as_json,
            empty=f"It has not run yet:  stockpot {name} run {check}",
        )

    return runs


def _remove(words: Words, name: str) -> click.Command:
    text = f"Remove one with its runs.\n\n\b\nExample:\n  stockpot {name} remove NAME"

    @click.command("remove", help=text)
    @click.argument("check")
    @click.option("--project", help="The project, where the name alone is not plain.")
    @click.pass_obj
    def remove(client: Client, check: str, project: str | None) -> None:
        found = named(client, words.kind, check, project)
        client.delete(f"/api/v1/checks/{found['id']}")
        click.echo(f"removed the {words.kind} {found['name']}")

    return remove


def named(client: Client, kind: str, name: str, project: str | None) -> dict[str, Any]:
    """A check by its name or id."""
    rows: list[dict[str, Any]] = client.get("/api/v1/checks", kind=kind, project=project)
    found = [row for row in rows if name in (row["id"], row["name"])]
    if not found:
        near = did_you_mean(name, [row["name"] for row in rows])
        raise NotFound(f"no {kind} {name!r}.{near}", hint=f"stockpot {PUT[kind]} list")
    if len(found) > 1:
        raise InvalidInput(f"{name!r} is in several projects", hint="name it with --project")
    return found[0]


def due(check: dict[str, Any]) -> str:
    """When it is due in words."""
    if not check["enabled"]:
        return "disabled"
    schedule = check["schedule"]
    if check["next_ms"] is None:
        return "when asked"
    every = f"every {schedule['every_s']} s" if schedule["every_s"] else f"cron {schedule['cron']}"
    return f"{every}, next {when(check['next_ms'])}"


def state(run: dict[str, Any] | None) -> str:
    """How a run stands."""
    if run is None:
        return "never ran"
    return "ALARM" if run["alarm"] else str(run["state"])


def judges(check: dict[str, Any]) -> str:
    """The judges behind a check's scores, each with its certificate."""
    return "; ".join(f"{badge['judge']} ({badge_words(badge)})" for badge in check["badges"])


def cost(run: dict[str, Any]) -> str:
    """What a run cost in words, beside the day's budget where there is one."""
    about = run["result"].get("cost")
    if about is None:
        return dollars(run["cost_nano"]) if run["cost_nano"] else ""
    words = dollars(about["nano"])
    if about["limit_nano"] is not None:
        words += f", {dollars(about['day_nano'])} of {dollars(about['limit_nano'])} that day"
    return words


def told(run: dict[str, Any]) -> str:
    """A run in lines: what it found, what it cost, and the steps of a pipeline."""
    lines = [f"{run['kind']} {run['check']}: {state(run)}  {run['words'] or run['error']}"]
    if paid := cost(run):
        lines.append(f"  cost {paid}")
    for step in run["result"].get("steps", ()):
        lines.append(f"  {step['state'].ljust(8)} {step['id'].ljust(16)} {step['words']}")
    return "\n".join(line.rstrip() for line in lines)


online = group_of(
    Words("online", "Score a sample of production answers, by rules with recorded weights.",
          "online rules", "online.toml")
)  # fmt: skip
drift = group_of(
    Words("drift", "Tell when scores or texts are other than they were.", "drift checks",
          "drift.toml")
)  # fmt: skip
canaries = group_of(
    Words("canary", "Tell when a vendor's model changed without a word.", "canaries",
          "canary.toml")
)  # fmt: skip
pipelines = group_of(
    Words("pipeline", "Steps on a schedule or a trigger: ingest, evaluate, gate, release.",
          "pipelines", "pipeline.toml")
)  # fmt: skip


@canaries.command("rebase")
@click.argument("check")
@click.option("--reason", required=True, help="Why it is accepted; stands in the audit log.")
@click.option("--project", help="The project, where the name alone is not plain.")
@json_option
@click.pass_obj
def rebase(client: Client, check: str, reason: str, project: str | None, as_json: bool) -> None:
    """Accept the newest answers as what the model says from now on, which ends the alarm.

    \b
    Example:
      stockpot canaries rebase vendor \\
        --reason 'the new model is better, see run chr_1'
    """
    found = named(client, "canary", check, project)
    made = client.post(f"/api/v1/canaries/{found['id']}/rebase", {"reason": reason})
    if not printed(made, as_json=as_json):
        click.echo(told(made))


@pipelines.command("verbs")
@json_option
@click.pass_obj
def verbs(client: Client, as_json: bool) -> None:
    """List what the steps of a pipeline can do, with their options.

    \b
    Example:
      stockpot pipelines verbs
    """
    rows = client.get("/api/v1/pipelines/verbs")
    if printed(rows, as_json=as_json):
        return
    for row in rows:
        click.echo(f"{row['name'].ljust(8)} {row['about']}")
        for name, about in row["options"].items():
            click.echo(f"  {name.ljust(10)} {about}")
