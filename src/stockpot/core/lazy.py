"""Front doors that load a room when somebody enters it. Knows module names; imports nothing itself.

A command that only prints what the API answered must not wait for the web framework and the
database toolkit that its capability also needs elsewhere.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazily(package: str, rooms: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__`; `rooms` maps each submodule to the names that it offers."""
    # A name must not be that of a submodule: importing one binds it, and hides the name.
    room_of = {name: room for room, names in rooms.items() for name in names.split()}

    def enter(name: str) -> Any:
        if name not in room_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{room_of[name]}"), name)

    return enter
