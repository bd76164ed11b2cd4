"""Writing GGUF, and reading the head of one."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpot.core.errors import InvalidInput
from stockpot.engines import gguf

FACTS: dict[str, object] = {
    "general.architecture": "llama",
    "llama.context_length": 2048,
    "llama.eps": 0.5,
    "llama.causal": False,
    "tokenizer.tokens": ["a", "b", "ü"],
    "tokenizer.types": [1, 1, 3],
}


def _zeros(size: int) -> gguf.Tensor:
    def write(out: BinaryIO) -> None:
        out.write(b"\x01" * size)

    return gguf.Tensor("t", (size // 4,), gguf.F32, size, write)


def test_what_is_written_is_read_again_with_arrays_as_their_length(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    gguf.write(path, FACTS, [])
    assert gguf.read_head(path) == {**FACTS, "tokenizer.tokens": 3, "tokenizer.types": 3}


def test_tensors_start_at_multiples_of_the_alignment(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    gguf.write(path, FACTS, [_zeros(4), _zeros(36)])
    raw = path.read_bytes()
    assert len(raw) % gguf.ALIGNMENT == 0
    first = raw.index(b"\x01" * 4 + b"\x00" * 28)
    assert first % gguf.ALIGNMENT == 0
    assert raw[first + gguf.ALIGNMENT :].startswith(b"\x01" * 36)


def test_another_kind_of_file_is_refused_with_the_tool_that_converts_it(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(InvalidInput, match="convert_hf_to_gguf"):
        gguf.read_head(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_head_is_refused_or_read_and_never_crashes(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "m.gguf"
    gguf.write(path, FACTS, [])
    raw = bytearray(path.read_bytes())
    end = data.draw(st.integers(0, len(raw)))
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[:end])
    try:
        head = gguf.read_head(path)
    except InvalidInput:
        return
    assert isinstance(head, dict)
