"""Write the reference pages of the documentation from the code, or check that they are current.

    python scripts/generate_docs.py            # write docs/reference/*.md
    python scripts/generate_docs.py --check    # exit 1 when a page differs from the code

Knows where the product keeps its tables; what a name means for people is in `reference_words.toml`,
and a name without words is an error here, so nothing can be added undocumented.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click

from stockpot.core.errors import StockpotError

REPO = Path(__file__).resolve().parents[1]
REFERENCE = REPO / "docs" / "reference"
SOURCES = REPO / "src" / "stockpot"
WORDS = tomllib.loads((Path(__file__).parent / "reference_words.toml").read_text("utf-8"))

CODE_AT = {"Reply": 1, "Refused": 1, "BadRequest": 2, "Failure": 0, "_error": 3}
"""Which argument of a call in the data plane is an error code."""


class Undocumented(Exception):
    """Something in the code has no words, or words are left of something that is gone."""


def words(table: str, names: list[str]) -> dict[str, str]:
    """What each name means. Raises Undocumented unless the table has exactly these names."""
    known: dict[str, str] = WORDS[table]
    missing, gone = sorted(set(names) - known.keys()), sorted(known.keys() - set(names))
    if missing or gone:
        raise Undocumented(
            f"scripts/reference_words.toml [{table}]: add {missing or 'nothing'}, "
            f"remove {gone or 'nothing'}"
        )
    return {name: known[name] for name in names}


def table(titles: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in row)} |" for row in lines
    )


# --- settings ------------------------------------------------------------------------------------


def settings_page() -> str:
    from stockpot.core.config import SETTINGS

    def shown(value: object) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f"`{text}`" if text else "empty"

    rows = ((f"`{s.env}`", f"`{s.name}`", shown(s.default), s.doc) for s in SETTINGS)
    return f"""\
# Settings

Each setting is an environment variable, or a key under `[settings]` in the file
`STOCKPOT_HOME/stockpot.toml`; the variable wins over the file. A value that cannot be read is an
error that names it, and so is an unknown key in the file. `stockpot doctor` checks them all.

```toml
[settings]
gateway_port = 4010
payloads = "masked"
```

{table(("Variable", "Key", "Default", "What it does"), rows)}
"""


# --- commands ------------------------------------------------------------------------------------


def commands_page() -> str:
    from stockpot.cli import main

    sections = [_command("stockpot", main, None)]
    return "# Commands\n\nWhat `--help` says of every command.\n\n" + "\n".join(sections)


def _command(path: str, command: click.Command, parent: click.Context | None) -> str:
    name = path.rpartition(" ")[2]
    told = command.context_settings  # as when it runs, or a cached help option differs
    context = click.Context(command, info_name=name, parent=parent, terminal_width=88, **told)
    command._help_option = None  # click keeps that of the first caller, who may have been another
    level = "#" * min(4, 2 + path.count(" "))
    text = f"{level} {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            text += "\n" + _command(f"{path} {child}", found, context)
    return text


# --- API -----------------------------------------------------------------------------------------


def api_page() -> str:
    rows = list(_routes())
    sections = []
    for tag in sorted({row[0] for row in rows}):
        some = ((f"`{m} {p}`", role, text) for t, m, p, role, text in rows if t == tag)
        sections.append(f"## {tag}\n\n{table(('Route', 'Lowest role', 'What it does'), some)}\n")
    gateway = (
        (f"`{path}`", text) for path, text in words("gateway_paths", _gateway_paths()).items()
    )
    return f"""\
# API

The control plane, by default at `http://127.0.0.1:4001`, serves its own description at
`/api/v1/openapi.json`. Send an API token (`stockpot tokens create --name NAME --role ROLE`) as
`Authorization: Bearer TOKEN`. Roles, highest first: admin, editor, viewer, own. Errors have one
shape: `{{"error": {{"code": ..., "message": ..., "hint": ...}}}}`; see [errors](errors.md).

{chr(10).join(sections)}
## The gateway

By default at `http://127.0.0.1:4000`. Send a virtual key as `Authorization: Bearer KEY`. See
[what the gateway accepts and answers](gateway.md).

{table(("Path", "What it does"), gateway)}
"""


def _routes() -> Iterator[tuple[str, str, str, str, str]]:
    """Tag, method, path, role, sentence of every route that is part of the API."""
    from fastapi.routing import APIRoute

    from stockpot.access import guard
    from stockpot.app import control_app
    from stockpot.core import config
    from stockpot.core.instance import Instance

    with tempfile.TemporaryDirectory() as home:
        app = control_app(config.load({"STOCKPOT_HOME": home}), Instance(Path(home)))
        described = app.openapi()["paths"]
    routes = [r for r in _every_route(app) if isinstance(r, APIRoute) and r.include_in_schema]
    if missed := described.keys() - {route.path_format for route in routes}:
        raise Undocumented(f"routes that this script does not see: {sorted(missed)}")
    for route in routes:
        roles = [r for d in route.dependant.dependencies if (r := guard.declared(d.call))]
        for method in sorted(route.methods or ()):
            operation = described[route.path_format][method.lower()]
            text = operation.get("description", "").split("\n\n")[0].replace("\n", " ")
            if not text:
                raise Undocumented(f"{method} {route.path} has no docstring")
            yield (operation.get("tags") or ["instance"])[0], method, route.path, roles[0], text


def _every_route(holder: Any) -> Iterator[Any]:
    """The routes of an application or a router, those of included routers too."""
    for route in holder.routes:
        inner = getattr(route, "original_router", None)
        yield from _every_route(inner) if inner is not None else [route]


def _gateway_paths() -> list[str]:
    from stockpot.gateway import face

    calls = [f"POST {path.decode()}" for path in face._CALLS]
    return [*calls, "GET /v1/models", "GET /v1/models/{model}", "GET /healthz", "GET /readyz"]


# --- records -------------------------------------------------------------------------------------


def records_page() -> str:
    from stockpot.gateway.models import STAGES, Record
    from stockpot.traces.models import Span, Tokens

    span = words("span", list(Span.model_fields))
    tokens = words("tokens", list(Tokens.model_fields))
    record = words("record", list(Record.__struct_fields__))
    stages = words("stages", list(STAGES))
    return f"""\
# Records

## A span

What `GET /api/v1/traces/{{trace_id}}` and `stockpot traces show --json` tell of one span. Times are
milliseconds since 1970 (UTC); costs are nano-dollars (1,000,000,000 are one dollar), and null means
that no price is known, never zero.

{_fields(Span, span)}

`tokens` holds:

{_fields(Tokens, tokens)}

`stages_ms` and the `Server-Timing` header name these stages:

{table(("Stage", "What happens"), ((f"`{k}`", v) for k, v in stages.items()))}

## A ledger record

What a worker writes to the spool for each attempt, as a MessagePack array in this order. Times are
nanoseconds. Payloads travel apart, so that they can be shed while the ledger is kept.

{_fields(Record, record)}
"""


def _fields(kind: type, meanings: dict[str, str]) -> str:
    hints = get_type_hints(kind)
    rows = ((f"`{k}`", f"`{_type_name(hints[k])}`", text) for k, text in meanings.items())
    return table(("Field", "Type", "What it says"), rows)


def _type_name(hint: Any) -> str:
    if all(isinstance(value, str) for value in get_args(hint)) and get_args(hint):
        return " | ".join(get_args(hint))
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "").replace("stockpot.traces.models.", "")


# --- errors --------------------------------------------------------------------------------------


def errors_page() -> str:
    control = words("errors", sorted(code for code, _ in _control_errors()))
    statuses = dict(_control_errors())
    gateway = words("gateway_errors", sorted(set(_gateway_codes())))
    rows = ((f"`{code}`", str(statuses[code]), text) for code, text in control.items())
    return f"""\
# Errors

## Of the API and the command line

An answer of the API carries `error.code`, `error.message` and `error.hint`; the command line prints
the message and the hint and exits with 1 (2 when the command line itself is wrong).

{table(("Code", "Status", "What it means"), rows)}

## Of the gateway

In the shape of the dialect that was called, so that a stock SDK understands it; `error.code` is one
of these. A refused call also leaves a span with the same code in `error`.

{table(("Code", "What it means"), ((f"`{k}`", v) for k, v in gateway.items()))}
"""


def _control_errors() -> Iterator[tuple[str, int]]:
    """Code and status of every error class, wherever in the product it is defined."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any(_names_code(line) for line in node.body):
                module = path.relative_to(SOURCES.parent).with_suffix("").as_posix()
                kind = getattr(importlib.import_module(module.replace("/", ".")), node.name)
                if issubclass(kind, StockpotError):
                    yield kind.code, kind.status


def _names_code(line: ast.stmt) -> bool:
    names = {n.id for n in ast.walk(line) if isinstance(n, ast.Name)}
    return isinstance(line, ast.Assign | ast.AnnAssign) and "code" in names


def _gateway_codes() -> Iterator[str]:
    """Every error code that the data plane can answer with, as its source says it."""
    from stockpot.gateway import admission
    from stockpot.gateway.guard import refusing
    from stockpot.gateway.http.calls import FailureKind
    from stockpot.providers import BadRequest

    yield from get_args(FailureKind)
    yield inspect.signature(BadRequest).parameters["code"].default
    yield from admission._CODES.values()
    yield refusing.CODE
    for folder in ("gateway", "providers"):
        for path in (SOURCES / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _codes_of(node)


def _codes_of(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = CODE_AT.get(name)
    if at is None:
        return
    given = [k.value for k in call.keywords if k.arg == "code"] or call.args[at : at + 1]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


# --- all pages -----------------------------------------------------------------------------------

PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "api.md": api_page,
    "records.md": records_page,
    "errors.md": errors_page,
}
NOTE = "<!-- Generated by scripts/generate_docs.py from the code; change the code instead. -->\n\n"


def generated() -> dict[Path, str]:
    """Every page with what it should say."""
    return {REFERENCE / name: NOTE + page().rstrip() + "\n" for name, page in PAGES.items()}


def main(arguments: list[str]) -> int:
    stale = []
    for path, text in generated().items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    for path in stale:
        print(f"{'stale' if '--check' in arguments else 'wrote'} {path.relative_to(REPO)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
