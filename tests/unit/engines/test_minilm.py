"""Turning a published BERT encoder into GGUF."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.engines import gguf, minilm

WIDTH, INNER, WORDS = (
    4,
    8,
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "soup", "##er", "[unused1]"],
)


def _shapes() -> dict[str, list[int]]:
    shapes = {
        "embeddings.word_embeddings.weight": [len(WORDS), WIDTH],
        "embeddings.position_embeddings.weight": [16, WIDTH],
        "embeddings.token_type_embeddings.weight": [2, WIDTH],
        "embeddings.LayerNorm.weight": [WIDTH],
        "embeddings.LayerNorm.bias": [WIDTH],
        "pooler.dense.weight": [WIDTH, WIDTH],
    }
    layer = {
        "attention.self.query": [WIDTH, WIDTH],
        "attention.self.key": [WIDTH, WIDTH],
        "attention.self.value": [WIDTH, WIDTH],
        "attention.output.dense": [WIDTH, WIDTH],
        "attention.output.LayerNorm": [WIDTH],
        "intermediate.dense": [INNER, WIDTH],
        "output.dense": [WIDTH, INNER],
        "output.LayerNorm": [WIDTH],
    }
    for name, shape in layer.items():
        shapes[f"encoder.layer.0.{name}.weight"] = shape
        shapes[f"encoder.layer.0.{name}.bias"] = shape[:1]
    return shapes


def _weights(shapes: dict[str, list[int]], dtype: str = "F32") -> bytes:
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        raw = struct.pack(f"<{count}f", *(0.1 * i for i in range(count)))
        table[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    head = json.dumps(table).encode()
    return struct.pack("<Q", len(head)) + head + body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    (root / "1_Pooling").mkdir(parents=True)
    config = {
        "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 1, "hidden_size": WIDTH,
        "intermediate_size": INNER, "num_attention_heads": 2, "max_position_embeddings": 16,
        "layer_norm_eps": 1e-12,
    }  # fmt: skip
    pooling = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (root / "config.json").write_text(json.dumps(config))
    (root / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (root / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (root / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (root / "model.safetensors").write_bytes(_weights(_shapes()))
    return root


def test_the_head_says_what_llama_cpp_needs_to_know(folder: Path, tmp_path: Path) -> None:
    minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
    head = gguf.read_head(tmp_path / "m.gguf")
    assert head["general.architecture"] == "bert"
    assert head["bert.pooling_type"] == 1
    assert head["bert.attention.causal"] is False
    assert head["bert.context_length"] == 16
    assert head["tokenizer.ggml.tokens"] == len(WORDS)
    assert head["tokenizer.ggml.cls_token_id"] == 2


def test_matrices_become_f16_and_everything_else_stays_f32(folder: Path, tmp_path: Path) -> None:
    minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
    raw = (tmp_path / "m.gguf").read_bytes()
    words = [0.1 * i for i in range(len(WORDS) * WIDTH)]
    assert struct.pack(f"<{len(words)}e", *words) in raw
    norm = struct.pack(f"<{WIDTH}f", *(0.1 * i for i in range(WIDTH)))
    assert norm in raw


def test_words_carry_llama_cpps_marks_and_not_wordpieces(folder: Path, tmp_path: Path) -> None:
    minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
    raw = (tmp_path / "m.gguf").read_bytes()
    assert "\u2581soup".encode() in raw
    assert b"##er" not in raw
    assert "\u2581[CLS]".encode() not in raw


def test_the_same_model_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        minilm.convert(folder, tmp_path / name, name="tiny")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_or_unknown_tensor_is_refused(folder: Path, tmp_path: Path) -> None:
    shapes = _shapes()
    del shapes["encoder.layer.0.output.dense.bias"]
    (folder / "model.safetensors").write_bytes(_weights(shapes))
    with pytest.raises(InvalidInput, match="expected 21"):
        minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
    shapes["encoder.layer.0.output.surprise.bias"] = [WIDTH]
    (folder / "model.safetensors").write_bytes(_weights(shapes))
    with pytest.raises(InvalidInput, match="surprise"):
        minilm.convert(folder, tmp_path / "m.gguf", name="tiny")


def test_weights_of_another_type_or_model_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").write_bytes(_weights(_shapes(), "BF16"))
    with pytest.raises(InvalidInput, match="BF16"):
        minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InvalidInput, match="no BERT"):
        minilm.convert(folder, tmp_path / "m.gguf", name="tiny")
