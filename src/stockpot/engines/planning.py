"""Which engine processes an instance needs, on which ports, and which of them run.

Knows commands and announcements; starts nothing. A supervisor keeps the commands alive.
"""

from __future__ import annotations

import contextlib
import os
import sys

import msgspec

from stockpot.core.config import Settings
from stockpot.core.errors import ConfigError, did_you_mean
from stockpot.core.instance import Instance
from stockpot.engines.models import (
    ECHO,
    RECORDED,
    Answering,
    EngineAddress,
    EngineCommand,
    InstalledModel,
)
from stockpot.engines.process import free_port, is_free
from stockpot.engines.recorded import shelf
from stockpot.engines.service import wanted
from stockpot.engines.store import ModelStore
from stockpot.engines.table import table


def plan(settings: Settings, instance: Instance) -> tuple[EngineCommand, ...]:
    """The processes to start: the test model always, and each wanted model that is installed.
    Raises ConfigError for a name that is neither known nor installed."""
    store = ModelStore(instance.models)
    commands = [_echo(instance)]
    for name in wanted(settings):
        model = store.find(name)
        if model is not None:
            commands.append(_llama(instance, store, model))
        elif table().get(name) is None:
            known = [*(m.name for m in store.list()), *(m.name for m in table().models)]
            raise ConfigError(
                f"the settings name a model {name!r}, which is neither known nor installed."
                f"{did_you_mean(name, known)}",
                hint="stockpot models list",
            )
    return tuple(commands)


def running(instance: Instance) -> tuple[EngineAddress, ...]:
    """The engines that have announced themselves and whose process is alive, by name."""
    found = []
    for path in (instance.run / "engines").glob("*.json"):
        try:
            address = msgspec.json.decode(path.read_bytes(), type=EngineAddress)
        except (OSError, msgspec.DecodeError):
            continue  # withdrawn just now, or written by a newer version
        if _alive(address.pid):
            found.append(address)
    return tuple(sorted(found, key=lambda address: address.name))


def player(instance: Instance) -> EngineCommand:
    """The process that plays recorded models, wanted while there is a recording."""
    port = str(_kept_port(instance, RECORDED))
    argv = (sys.executable, "-m", "stockpot.engines.recorded", "--port", port)
    env = {"STOCKPOT_HOME": str(instance.home)}
    return EngineCommand(RECORDED, argv, env, wanted=str(shelf.wanted(instance)))


def _echo(instance: Instance) -> EngineCommand:
    return _command(instance, "stockpot.engines.echo", ECHO, ())


def _llama(instance: Instance, store: ModelStore, model: InstalledModel) -> EngineCommand:
    flags = ("--embedding",) * (model.kind == "embedding") + ("--smoke",) * model.smoke
    known = table().get(model.name)
    answering = Answering() if known is None else known.answering
    return _command(
        instance,
        "stockpot.engines.llama",
        model.name,
        (
            *("--model-path", str(store.path(model))),
            *("--ctx", str(model.context * model.parallel)),
            *("--parallel", str(model.parallel)),
            *("--temp", str(answering.temperature)),
            *("--top-p", str(answering.top_p)),
            *("--predict", str(answering.max_tokens)),
            *flags,
        ),
    )


def _command(instance: Instance, module: str, name: str, more: tuple[str, ...]) -> EngineCommand:
    port = str(_kept_port(instance, name))
    argv = (sys.executable, "-m", module, "--name", name, "--port", port, *more)
    return EngineCommand(name, argv, {"STOCKPOT_HOME": str(instance.home)})


def _kept_port(instance: Instance, name: str) -> int:
    """The engine's port, the same at each start as long as nobody else has taken it: what was
    published of an engine stays true over its restart."""
    path = instance.run / "engines" / f"{name}.port"
    with contextlib.suppress(OSError, ValueError):
        port = int(path.read_text("ascii"))
        if is_free(port) or any(f":{port}/" in e.url for e in running(instance)):
            return port
    path.parent.mkdir(parents=True, exist_ok=True)
    port = free_port()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(f"{port}\n", "ascii")
    draft.replace(path)
    return port


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
