"""The model store's verbs: pull, ensure, verify, list, remove.

Knows what must be true of an installed model (whole, verified, GGUF); knows nothing of processes.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput, Unavailable
from stockpot.core.instance import Instance
from stockpot.engines import gguf, sources
from stockpot.engines.models import ECHO, InstalledModel, Kind, ModelSpec, Progress, Report
from stockpot.engines.store import DigestMismatch, ModelStore, StorageTrouble, digest
from stockpot.engines.table import check_name, from_file, resolve, table

_LARGEST_CONTEXT: Final = 4096


def quiet(_progress: Progress) -> None:
    """A Report that says nothing."""


def installed(instance: Instance) -> tuple[InstalledModel, ...]:
    """Every model that is here, by name."""
    return ModelStore(instance.models).list()


def remove(instance: Instance, name: str) -> InstalledModel:
    """Delete a model's files. Raises NotFound."""
    return ModelStore(instance.models).remove(name)


def verify(instance: Instance, name: str, *, report: Report = quiet) -> InstalledModel | None:
    """The installed model of this name, after reading its file whole; None when it is not here.
    Raises DigestMismatch when the file is not what was installed."""
    store = ModelStore(instance.models)
    model = store.find(name)
    if model is not None and digest(store.path(model), name, report) != model.sha256:
        raise DigestMismatch(
            f"the file of {name!r} is damaged: its sha256 is not {model.sha256}.",
            hint=f"stockpot models pull --force {name}",
        )
    return model


def pull(
    settings: Settings,
    instance: Instance,
    reference: str,
    *,
    file: Path | None = None,
    name: str = "",
    kind: Kind | None = None,
    sha256: str = "",
    force: bool = False,
    report: Report = quiet,
) -> InstalledModel:
    """Install a model, replacing an older one of the same name.

    `reference` is a known name, `hub:OWNER/REPO[@REVISION][:FILE.gguf]` or a path; `file` takes a
    known model from a file that was carried here. `sha256` is an additional demand. A known model
    that is already here is left alone unless `force`.
    """
    spec = resolve(reference, name=name)
    if file is not None:
        spec = from_file(spec, file)
    demand = Demand(kind, sha256.lower(), force)
    return _pull(ModelStore(instance.models), settings, spec, demand, report)


def ensure(
    settings: Settings, instance: Instance, name: str, *, report: Report = quiet
) -> InstalledModel:
    """The installed model of this name, pulled from the table's sources if it is not here yet."""
    found = ModelStore(instance.models).find(name)
    return found or pull(settings, instance, name, report=report)


def wanted(settings: Settings) -> tuple[str, ...]:
    """Names of the models that the settings ask engines for, whether installed or not. The test
    model needs no file and is not among them."""
    if settings.engines == "none":
        return ()
    if settings.engines == "auto":
        names = [settings.default_model, table().defaults.embedding]
    else:
        names = [part.strip() for part in settings.engines.split(",")]
    return tuple(dict.fromkeys(name for name in names if name not in ("", ECHO)))


def missing(settings: Settings, instance: Instance) -> tuple[ModelSpec, ...]:
    """Known models that the settings ask for and that are not here: what to pull first."""
    store = ModelStore(instance.models)
    specs = (table().get(name) for name in wanted(settings) if store.find(name) is None)
    return tuple(spec for spec in specs if spec is not None)


class Demand(NamedTuple):
    """What the caller asks for beyond the model itself."""

    kind: Kind | None
    sha256: str
    force: bool


def _pull(
    store: ModelStore, settings: Settings, spec: ModelSpec, demand: Demand, report: Report
) -> InstalledModel:
    with store.pulling(check_name(spec.name)) as scratch:
        found = store.find(spec.name)  # perhaps another process was faster
        if found is not None and found.sha256 == spec.sha256 and not demand.force:
            return found
        try:
            fetched = _fetch(spec, scratch, settings, report)
            model = _examine(spec, fetched, demand, report)
            store.install(fetched.file, model)
        except OSError as bad:
            raise StorageTrouble(
                f"{spec.name!r} cannot be stored under {str(store.folder)!r}: {bad.strerror}",
                hint="make room, or set STOCKPOT_HOME to another disk",
            ) from bad
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
    spec: ModelSpec, fetched: sources.Fetched, demand: Demand, report: Report
) -> InstalledModel:
    head = gguf.read_head(fetched.file, called=fetched.origin)
    found = digest(fetched.file, spec.name, report)
    for expected, by in (
        (spec.sha256, "the table of models"),
        (fetched.sha256, fetched.origin),
        (demand.sha256, "--sha256"),
    ):
        if expected and expected != found:
            raise DigestMismatch(
                f"{spec.name!r} from {fetched.origin} has sha256 {found}; {by} says {expected}",
                hint="pull it again, from a source you trust",
            )
    if not spec.sha256:
        spec = _described(spec, head, demand.kind)
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
