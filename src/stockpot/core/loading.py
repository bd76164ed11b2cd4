"""What a process of ours need not load. Knows modules by name; loads none.

Only processes that belong to the product call this: in an application all of httpx is its own.
"""

from __future__ import annotations

import sys


def spare_httpx_its_command() -> None:
    """Called before httpx is imported: where rich is installed it imports its own command line
    too, a third of the start of a command."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
