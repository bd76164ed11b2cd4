"""Build hook: a wheel without the built console is refused, so that nobody publishes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleHook(BuildHookInterface[Any]):
    """Editable installs pass: a developer may build the console later, or never."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        index = Path(self.root) / "src/stockpot/console/index.html"
        if version != "editable" and not index.is_file():
            raise SystemExit(
                f"the wheel holds the built console, and {index} is missing: make console"
            )
