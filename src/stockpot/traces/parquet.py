"""Spans as a Parquet file. Knows the fields of an exported span; knows not where spans come from.

Columns are what a line of the export has: text, numbers, flags and lists of text as such, `tokens`
as a struct, and what has no fixed shape (`params`, `stages_ms`, `cost_detail`, `bill`,
`exposures`) as text of JSON.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from stockpot.core.errors import ConfigError
from stockpot.traces.models import ExportedSpan

_ROWS = 5_000
_CHARACTERS = 32 << 20
"""A group of rows ends with either, so that long bodies fill no memory."""


def write_parquet(lines: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write lines of an export; gives how many. The file is there when it is whole."""
    pa = _pyarrow()
    import pyarrow.parquet as pq

    schema = pa.schema(_fields(pa, ExportedSpan))
    texts = {field.name for field in schema if _is_json(ExportedSpan, field.name)}
    draft = path.with_name(path.name + ".part")
    count = 0
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for rows in _groups(lines):
                made = [_row(row, texts) for row in rows]
                writer.write_table(pa.Table.from_pylist(made, schema=schema))
                count += len(made)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ConfigError(
            "Parquet is asked for, and the package pyarrow is not installed",
            hint="pip install 'stockpot[parquet]'",
        ) from None
    return pyarrow


def _groups(lines: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    held: list[Mapping[str, Any]] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line.get("request") or "") + len(line.get("response") or "")
        if len(held) >= _ROWS or size > _CHARACTERS:
            yield held
            held, size = [], 0
    if held:
        yield held


def _row(line: Mapping[str, Any], texts: set[str]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if name in texts else value
        for name, value in line.items()
    }


def _fields(pa: Any, model: type[BaseModel]) -> list[Any]:
    return [
        pa.field(name, _type(pa, field.annotation)) for name, field in model.model_fields.items()
    ]


def _type(pa: Any, annotation: Any) -> Any:
    kind = _known(annotation)
    plain = {str: pa.string, bool: pa.bool_, int: pa.int64, float: pa.float64}
    if kind in plain:
        return plain[kind]()
    if get_origin(kind) is Literal:
        return pa.string()
    if kind == tuple[str, ...]:
        return pa.list_(pa.string())
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return pa.struct(_fields(pa, kind))
    return pa.string()


def _known(annotation: Any) -> Any:
    """What a value is when it is not None."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _is_json(model: type[BaseModel], name: str) -> bool:
    """Whether a field is kept as JSON text: a mapping, or a list of records."""
    kind = _known(model.model_fields[name].annotation)
    return get_origin(kind) in (dict, tuple) and kind != tuple[str, ...]
