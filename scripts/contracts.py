"""Import contracts that import-linter does not ship. Knows module names; imports no product code.

`pyproject.toml` names them under `[tool.importlinter]`; `make check` runs them.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from importlinter import Contract, ContractCheck, fields, output
from importlinter.contracts.forbidden import ForbiddenContract

if TYPE_CHECKING:
    from grimp import ImportGraph
    from importlinter.domain.imports import ModuleExpression


class FrontDoor(Contract):
    """A capability is entered by its package alone: `stockpot.traces`, never a module inside it.

    The composition roots wire the inner parts, so they may enter anywhere. An open house (`core`)
    has no front door of its own: each of its direct submodules is one.
    """

    type_name = "front_door"

    root = fields.StringField()
    roots_of_composition = fields.SetField(subfield=fields.StringField())
    open_houses = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        wrong = sorted(
            (importer, imported)
            for importer in graph.find_descendants(str(self.root))
            for imported in graph.find_modules_directly_imported_by(importer)
            if self._enters_by_a_window(importer, imported)
        )
        lines = {
            pair: graph.get_import_details(importer=pair[0], imported=pair[1])[0]["line_number"]
            for pair in wrong
        }
        return ContractCheck(kept=not wrong, metadata={"wrong": lines})

    def _enters_by_a_window(self, importer: str, imported: str) -> bool:
        house, *inner = imported.removeprefix(f"{self.root}.").split(".")
        guest = importer.removeprefix(f"{self.root}.").split(".")[0]
        if not imported.startswith(f"{self.root}.") or guest == house:
            return False
        if guest in cast("set[str]", self.roots_of_composition):
            return False
        if house in cast("set[str]", self.open_houses):
            return len(inner) > 1
        # A name at the front door may be that of a submodule too: `from providers import vendors`.
        return bool(inner) and inner[-1] not in _offered(f"{self.root}.{house}")

    def render_broken_contract(self, check: ContractCheck) -> None:
        for (importer, imported), line in check.metadata["wrong"].items():
            house = ".".join(imported.split(".")[:2])
            output.print_error(f"{importer}:{line} imports {imported}: import {house} instead")


@cache
def _offered(package: str) -> frozenset[str]:
    """The `__all__` of a package, read without importing it."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


class NeverReaches(ForbiddenContract):
    """The forbidden contract, even indirectly, for modules of which some may not exist yet."""

    type_name = "never_reaches"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        for option in ("source_modules", "forbidden_modules"):
            setattr(self, option, self._present(graph, getattr(self, option)))
        return super().check(graph, verbose)

    @staticmethod
    def _present(graph: ImportGraph, wanted: set[ModuleExpression]) -> set[ModuleExpression]:
        return {e for e in wanted if graph.find_matching_modules(e.expression)}
