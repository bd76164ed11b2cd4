"""GGUF, the container that llama.cpp reads: write one, and read the head of one.

Knows the container (version 3, little-endian); knows nothing of any model. Written by hand because
both directions fit on two pages, need no numpy, and so can run where a model is pulled.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from stockpot.core.errors import InvalidInput

MAGIC: Final = b"GGUF"
ALIGNMENT: Final = 32
F32: Final = 0
F16: Final = 1
TOKEN_NORMAL, TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_UNUSED = 1, 2, 3, 5

_U32, _I32, _FLOAT, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i",
    6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_MAX_STRING: Final = 64 << 20
_MAX_PAIRS: Final = 100_000


class Tensor(msgspec.Struct, frozen=True):
    """A tensor to write. `shape` is row-major, as in the weights it comes from; `write` puts
    exactly `size` bytes into the file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    size: int
    write: Callable[[BinaryIO], None]


def write(path: Path, facts: dict[str, object], tensors: Sequence[Tensor]) -> None:
    """Write a file. The same input gives the same bytes, so that a digest can be recorded."""
    with path.open("wb") as out:
        out.write(MAGIC + struct.pack("<IQQ", 3, len(tensors), len(facts)))
        for key, value in facts.items():
            out.write(_string(key) + _typed(value))
        offset = 0
        for tensor in tensors:
            out.write(_string(tensor.name) + struct.pack("<I", len(tensor.shape)))
            out.write(b"".join(struct.pack("<Q", n) for n in reversed(tensor.shape)))
            out.write(struct.pack("<IQ", tensor.kind, offset))
            offset += _padded(tensor.size)
        _pad(out)
        for tensor in tensors:
            tensor.write(out)
            _pad(out)


def read_head(path: Path, *, called: str = "") -> dict[str, Any]:
    """The key-value pairs of a file, arrays as their length. Raises InvalidInput for anything else
    than a whole GGUF head; `called` is what the file is for whom it is told."""
    called = called or str(path)
    with path.open("rb") as file:
        head = file.read(24)
        if len(head) < 24 or head[:4] != MAGIC:
            raise InvalidInput(f"{called!r} is not a GGUF file.", hint=_CONVERT)
        version, _tensors, pairs = struct.unpack("<IQQ", head[4:])
        if version not in (2, 3) or pairs > _MAX_PAIRS:
            raise InvalidInput(
                f"{called!r} is GGUF version {version}; versions 2 and 3 can be read.",
                hint=_CONVERT,
            )
        try:
            return {_read_string(file): _read_value(file) for _ in range(pairs)}
        except (struct.error, UnicodeDecodeError, KeyError, EOFError):
            raise InvalidInput(
                f"the head of {called!r} is cut off or damaged.", hint="copy the file again"
            ) from None


_CONVERT: Final = "convert it with llama.cpp's convert_hf_to_gguf.py"


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _pad(out: BinaryIO) -> None:
    at = out.tell()
    out.write(b"\0" * (_padded(at) - at))


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: object) -> bytes:
    if isinstance(value, (list, tuple)):
        return struct.pack("<I", _ARRAY) + _array(value)
    kind, raw = _scalar(value)
    return struct.pack("<I", kind) + raw


def _array(values: Sequence[object]) -> bytes:
    encoded = [_scalar(value, signed=True) for value in values]
    kind = encoded[0][0] if encoded else _I32
    return struct.pack("<IQ", kind, len(encoded)) + b"".join(raw for _, raw in encoded)


def _scalar(value: object, *, signed: bool = False) -> tuple[int, bytes]:
    match value:
        case bool():
            return _BOOL, struct.pack("<?", value)
        case int():
            return (_I32, struct.pack("<i", value)) if signed else (_U32, struct.pack("<I", value))
        case float():
            return _FLOAT, struct.pack("<f", value)
        case str():
            return _STRING, _string(value)
    raise TypeError(f"GGUF has no type for {type(value).__name__}")


def _exactly(file: BinaryIO, size: int) -> bytes:
    raw = file.read(size)
    if len(raw) < size:
        raise EOFError
    return raw


def _read_string(file: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", _exactly(file, 8))
    if size > _MAX_STRING:
        raise EOFError
    return _exactly(file, size).decode()


def _read_value(file: BinaryIO) -> Any:
    (kind,) = struct.unpack("<I", _exactly(file, 4))
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", _exactly(file, 12))
        _skip(file, inner, count)
        return count
    return _read_scalar(file, kind)


def _read_scalar(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _read_string(file)
    layout = _SCALARS[kind]
    return struct.unpack(layout, _exactly(file, struct.calcsize(layout)))[0]


def _skip(file: BinaryIO, kind: int, count: int) -> None:
    if kind in _SCALARS:
        file.seek(struct.calcsize(_SCALARS[kind]) * count, 1)
        return
    if kind != _STRING:  # arrays of arrays are in no model
        raise KeyError(kind)
    for _ in range(count):  # a false count ends at the end of the file
        _read_string(file)
