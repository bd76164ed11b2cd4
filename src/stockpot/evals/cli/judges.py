"""`stockpot eval judges`: versions of judges, asking them, certifying them."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import json_option, printed, read_file, show, when
from stockpot.evals.cli.showing import figure, tally
from stockpot.traces import badge_words

_API = "/api/v1/evals/judges"
_EVERY_S = 0.5
project_option = click.option("--project", default="default", show_default=True)
version_option = click.option("--version", type=click.IntRange(min=1), help="Not the newest.")


@click.group("judges")
def judges() -> None:
    """Models that judge answers, in versions, each with its certificate.

    \b
    Example:
      stockpot eval judges certify polite --dataset menu-cases
    """


@judges.command("list")
@project_option
@json_option
@click.pass_obj
def list_(client: Client, project: str, as_json: bool) -> None:
    """List the judges of a project with what their certificates are worth now.

    \b
    Example:
      stockpot eval judges list
    """
    show(
        client.get(_API, project=project),
        (
            ("JUDGE", lambda j: f"{j['judge']['name']}@{j['judge']['version']}"),
            ("KIND", lambda j: j["judge"]["kind"]),
            ("MODEL", lambda j: j["judge"]["model"] or f"{len(j['judge']['members'])} judges"),
            ("CERTIFICATE", lambda j: badge_words(j["badge"])),
            ("WHY", lambda j: j["badge"]["words"]),
        ),
        as_json=as_json,
        empty="No judges yet. Make one:  stockpot eval judges create polite --model MODEL "
        '--criteria "The answer is polite."',
    )


@judges.command("show")
@click.argument("name")
@project_option
@json_option
@click.pass_obj
def show_judge(client: Client, name: str, project: str, as_json: bool) -> None:
    """Show the versions of a judge and its certificates.

    \b
    Example:
      stockpot eval judges show polite
    """
    versions = client.get(f"{_API}/{name}/versions", project=project)
    certificates = client.get(f"{_API}/{name}/certificates", project=project)
    if printed({"versions": versions, "certificates": certificates}, as_json=as_json):
        return
    show(
        versions,
        (
            ("VERSION", lambda j: j["version"]),
            ("KIND", lambda j: j["kind"]),
            ("MODEL", lambda j: j["model"] or ", ".join(_ref(m) for m in j["members"])),
            ("SCALE", lambda j: _scale(j["scale"])),
            ("CONTENT", lambda j: j["content_hash"][:12]),
            ("WHEN", lambda j: when(j["created_ms"])),
            ("MESSAGE", lambda j: j["message"]),
        ),
        as_json=False,
        empty="No versions.",
    )
    for one in certificates[:1]:
        show_certificate(one)


@judges.command("create")
@click.argument("name")
@click.option("--file", "file", type=click.Path(path_type=Path), help="TOML with all of it.")
@click.option("--kind", type=click.Choice(["rubric", "pairwise", "reference", "groundedness",
                                           "jury"]))  # fmt: skip
@click.option("--model", help="A model, a route or an alias.")
@click.option("--criteria", help="What makes an answer good.")
@click.option("--label", "labels", multiple=True, help="A label of the scale, the worst first.")
@click.option("--member", "members", multiple=True, help="A judge of a jury, as NAME@VERSION.")
@click.option("--message", default="", help="Why this version.")
@project_option
@json_option
@click.pass_obj
def create(
    client: Client, /, name: str, file: Path | None, project: str, as_json: bool, **given: Any
) -> None:
    """Make a judge, or a new version of it. What asks the same makes no new version.

    \b
    Example:
      stockpot eval judges create polite --model smollm2-135m \\
        --criteria "The answer is polite."
      stockpot eval judges create polite --file judges/polite.toml
    """
    spec = {"name": name, **_of_file(file)}
    labels = given.pop("labels")
    if labels:
        spec["scale"] = {"labels": list(labels)}
    spec |= {field: value for field, value in given.items() if value}
    made = client.post(_API, spec, project=project)
    if printed(made, as_json=as_json):
        return
    click.echo(f"{_ref(made)} is there. It may inform; to let it gate, hold it against people:")
    click.echo(f"  stockpot eval judges certify {made['name']} --dataset DATASET")


def _of_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(read_file(file))
    except tomllib.TOMLDecodeError as bad:
        raise InvalidInput(f"{file} is not valid TOML: {bad}") from None


@judges.command("certify")
@click.argument("name")
@click.option("--dataset", default="", help="Rows that people annotated, as NAME or NAME@VERSION.")
@click.option("--rows", type=click.Path(path_type=Path), help="JSON lines instead of a data set.")
@click.option("--labels", type=click.Path(path_type=Path),
              help='What people said: {"item", "rater", "label", "slice"}.')  # fmt: skip
@click.option("--question", default="", help="What the annotators were asked.")
@click.option("--slice", "slices", multiple=True, help="Look at these values too: metadata.lang.")
@click.option("--word", "words", multiple=True, metavar="SAID=LABEL", help="A word of people's.")
@click.option("--answer", default="", help="Where a row holds what is judged, if not its output.")
@click.option("--max-age-days", type=click.IntRange(1, 3650), default=180, show_default=True)
@click.option("--wait/--no-wait", default=True, show_default=True)
@version_option
@project_option
@json_option
@click.pass_obj
def certify(
    client: Client, /, name: str, rows: Path | None, labels: Path | None, words: tuple[str, ...],
    wait: bool, project: str, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Hold a judge against people: agreement by slice, human ceiling, corrected score.

    \b
    Example:
      stockpot eval judges certify polite --dataset menu-cases --question polite
      stockpot eval judges certify polite --dataset menu-cases \\
        --labels people.jsonl
    """
    wanted: dict[str, Any] = {key: value for key, value in asked.items() if value}
    if words:
        wanted["words"] = dict(_word(one) for one in words)
    if labels is not None:
        wanted["labels"] = _labels(labels)
    if rows is not None:
        wanted["rowset"] = _rowset(client, rows, project)
    told = client.post(f"{_API}/{name}/certificates", wanted, project=project)
    while wait and told["progress"] in ("queued", "running"):
        client.demand_instance("the certificate waits: its judge is asked by the gateway")
        time.sleep(_EVERY_S)
        told = _certificate(client, name, told["id"], project)
    if printed(told, as_json=as_json):
        return
    show_certificate(told)


def _word(text: str) -> tuple[str, str]:
    said, equals, label = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} maps no word", hint="--word good=pass")
    return said, label


def _labels(path: Path) -> list[dict[str, Any]]:
    from stockpot.evals.judges.agreement import read_ratings

    found = read_ratings(path)
    return [
        {"item": item, "rater": rater, "label": label, "slice": part}
        for item, said in found.said.items()
        for rater, label in said.items()
        if label is not None
        for part in (sorted(found.parts.get(item, {""}))[:1])
    ]


def _rowset(client: Client, path: Path, project: str) -> str:
    from stockpot.evals.files import read_rows

    sent = [row.model_dump(mode="json", exclude_defaults=True) for row in read_rows(path)]
    body = {"name": path.stem, "rows": sent}
    kept: dict[str, Any] = client.post("/api/v1/evals/rowsets", body, project=project)
    return str(kept["hash"])


def _certificate(client: Client, name: str, ident: str, project: str) -> dict[str, Any]:
    listed = client.get(f"{_API}/{name}/certificates", project=project)
    found: dict[str, Any] = next(one for one in listed if one["id"] == ident)
    return found


@judges.command("ask")
@click.argument("name")
@click.option("--rows", type=click.Path(path_type=Path), required=True,
              help="JSON lines with input and output, at most 200.")  # fmt: skip
@version_option
@project_option
@json_option
@click.pass_obj
def ask(
    client: Client, name: str, rows: Path, version: int | None, project: str, as_json: bool
) -> None:
    """Ask a judge about some rows, and see what it says and why.

    \b
    Example:
      stockpot eval judges ask polite --rows answers.jsonl
    """
    from stockpot.evals.files import read_rows

    sent = [
        {"id": row.id, "input": row.input, "output": row.output or "", "expected": row.expected,
         "context": row.metadata.get("context"), "other": row.metadata.get("other")}
        for row in read_rows(rows)
    ]  # fmt: skip
    told = client.post(f"{_API}/{name}/ask", {"rows": sent}, project=project, version=version)
    if printed(told, as_json=as_json):
        return
    show(
        told["judgements"],
        (
            ("ROW", lambda j: j["item"]),
            ("VERDICT", lambda j: j["label"] or f"none ({j['missing']})"),
            ("VALUE", lambda j: "" if j["value"] is None else f"{j['value']:.3g}"),
            ("REASON", lambda j: j["reason"].replace("\n", " ")[:100]),
        ),
        as_json=False,
        empty="No rows.",
    )
    click.echo(f"{told['judge']}: {badge_words(told['badge'])}. {tally(told['tally'])}")


def show_certificate(one: dict[str, Any]) -> None:
    """A certificate as a person reads it."""
    click.echo(f"{one['judge']}@{one['version']} on {one['dataset'] or 'rows of a file'}: "
               f"{one['state'].upper()}. {one['reason']}")  # fmt: skip
    if one["progress"] != "done":
        return
    parts = [{"slice": "(all)", **{k: one[k] for k in ("n", "kappa", "accuracy", "alpha")}}]
    show(
        [*parts, *one["slices"]],
        (
            ("SLICE", lambda s: s["slice"]),
            ("N", lambda s: s["n"]),
            ("KAPPA", lambda s: figure(s["kappa"])),
            ("ACCURACY", lambda s: figure(s["accuracy"])),
            ("ALPHA", lambda s: figure(s["alpha"])),
        ),
        as_json=False,
        empty="",
    )
    ceiling, true = one["ceiling"], one["corrected"]
    if ceiling:
        click.echo(f"people among themselves   kappa {figure(ceiling['kappa'])}, on "
                   f"{ceiling['items']} items that two or more rated")  # fmt: skip
    if true:
        click.echo(f"score                     judge {true['naive']:.3f}; people would say "
                   f"{figure(true['estimate'])}")  # fmt: skip
    click.echo(f"calls                     {tally(one['tally'])}")
    click.echo(f"expires                   {when(one['expires_ms'])}, or when model or prompt "
               "change")  # fmt: skip


def _ref(judge: dict[str, Any]) -> str:
    return f"{judge['name']}@{judge['version']}"


def _scale(scale: dict[str, Any]) -> str:
    if scale["least"] is not None:
        return f"{scale['least']:g} to {scale['most']:g}"
    return ", ".join(scale["labels"])
