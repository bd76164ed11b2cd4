"""The model store's verbs: pull, list, remove, ensure.

Knows what must be true of an installed model (whole, verified, GGUF); knows nothing of processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput, StockpotError, Unavailable
from stockpot.engines import gguf, sources
from stockpot.engines.models import InstalledModel, Kind, ModelSpec, Progress, Report
from stockpot.engines.store import DigestMismatch, ModelStore, digest
from stockpot.engines.table import check_name, from_file, resolve, table

_LARGEST_CONTEXT: Final = 4096


def quiet(_progress: Progress) -> None:
    """A Report that says nothing."""


def pull(
    store: ModelStore,
    settings: Settings,
    reference: str,
    *,
    file: Path | None = None,
    name: str = "",
    kind: Kind | None = None,
    sha256: str = "",
    report: Report = quiet,
) -> InstalledModel:
    """Install a model, replacing an older one of the same name.

    `reference` is a known name, `hub:OWNER/REPO[@REVISION][:FILE.gguf]` or a path; `file` takes a
    known model from a file that was carried here. `sha256` is an additional demand.
    """
    spec = resolve(reference, name=name)
    if file is not None:
        spec = from_file(spec, file)
    return _pull(store, settings, spec, kind, sha256.lower(), report, _always)


def ensure(
    store: ModelStore, settings: Settings, name: str, *, report: Report = quiet
) -> InstalledModel:
    """The installed model of this name, pulled from the table's sources if it is not here yet."""
    found = store.find(name)
    if found is not None:
        return found
    spec = resolve(name)
    return _pull(store, settings, spec, None, "", report, lambda: store.find(spec.name))


def wanted(settings: Settings) -> tuple[str, ...]:
    """Names of the models that the settings ask engines for, whether installed or not. The test
    model needs no file and is not among them."""
    if settings.engines == "none":
        return ()
    if settings.engines == "auto":
        names = [settings.default_model, table().defaults.embedding]
    else:
        names = [part.strip() for part in settings.engines.split(",")]
    unique = dict.fromkeys(n for n in names if n and n != "echo")
    return tuple(unique)


def missing(store: ModelStore, settings: Settings) -> tuple[ModelSpec, ...]:
    """Known models that the settings ask for and that are not installed: what to pull first."""
    specs = (table().get(name) for name in wanted(settings) if store.find(name) is None)
    return tuple(spec for spec in specs if spec is not None)


def _always() -> None:
    return None


def _pull(
    store: ModelStore,
    settings: Settings,
    spec: ModelSpec,
    kind: Kind | None,
    sha256: str,
    report: Report,
    already: Callable[[], InstalledModel | None],
) -> InstalledModel:
    with store.pulling(check_name(spec.name)) as scratch:
        if (found := already()) is not None:  # another process was faster
            return found
        try:
            fetched = _fetch(spec, scratch, settings, report)
            model = _examine(spec, fetched, kind, sha256, report)
        except Unavailable:
            raise  # what has arrived stays for the next try
        except (StockpotError, OSError):
            store.clear(scratch)
            raise
        store.install(fetched.file, model)
        store.clear(scratch)
        report(Progress(model.name, "installed", model.bytes, model.bytes))
        return model


def _fetch(spec: ModelSpec, scratch: Path, settings: Settings, report: Report) -> sources.Fetched:
    """From the first source that can be reached; when none can, what each of them said."""
    hub_url = settings.hub_url or os.environ.get("HF_ENDPOINT") or table().hub.url
    problems: list[Unavailable] = []
    for source in spec.sources:
        try:
            return sources.fetch(source, scratch, model=spec.name, hub_url=hub_url, report=report)
        except Unavailable as problem:
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    raise Unavailable("; ".join(p.message for p in problems), hint=problems[-1].hint)


def _examine(
    spec: ModelSpec, fetched: sources.Fetched, kind: Kind | None, sha256: str, report: Report
) -> InstalledModel:
    head = gguf.read_head(fetched.file)
    found = digest(fetched.file, spec.name, report)
    for expected, by in (
        (spec.sha256, "the table of models"),
        (fetched.sha256, fetched.origin),
        (sha256, "--sha256"),
    ):
        if expected and expected != found:
            raise DigestMismatch(
                f"{spec.name!r} from {fetched.origin} has sha256 {found}; {by}: {expected}",
                hint="pull it again, from a source you trust",
            )
    if not spec.sha256:
        spec = _described(spec, head, kind)
    return InstalledModel(
        name=spec.name,
        kind=spec.kind,
        title=spec.title,
        label=spec.label,
        license=spec.license,
        file=spec.file or fetched.name,
        sha256=found,
        bytes=fetched.file.stat().st_size,
        context=spec.context,
        parallel=spec.parallel,
        smoke=spec.smoke,
        source=fetched.origin,
        architecture=str(head.get("general.architecture", "")),
        installed_ms=time.time_ns() // 1_000_000,
    )


def _described(spec: ModelSpec, head: dict[str, Any], kind: Kind | None) -> ModelSpec:
    """A model that the table does not know, described by its own file."""
    arch = head.get("general.architecture")
    if not isinstance(arch, str) or not arch:
        raise InvalidInput(f"{spec.title!r} does not say its architecture; it is no whole model.")
    embeds = f"{arch}.pooling_type" in head or head.get(f"{arch}.attention.causal") is False
    trained = int(head.get(f"{arch}.context_length", _LARGEST_CONTEXT))
    return msgspec.structs.replace(
        spec,
        kind=kind or ("embedding" if embeds else "chat"),
        title=str(head.get("general.name") or spec.title),
        license=str(head.get("general.license", "")),
        context=min(trained, _LARGEST_CONTEXT),
    )
