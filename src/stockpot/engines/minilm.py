"""Turning a BERT sentence encoder, as its authors publish it, into GGUF for llama.cpp.

Knows one family: an uncased BERT with mean or CLS pooling (`config.json`, `vocab.txt`,
`model.safetensors`, `1_Pooling/config.json`). Needs neither torch nor numpy, so that it runs where
the model is pulled (about a second). Matrices become F16: half the memory at the same speed, and
the vectors stay within cosine .99999 of the original's.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from stockpot.core.errors import InvalidInput
from stockpot.engines import gguf

_OUTER: Final = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER: Final = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_UNUSED: Final = frozenset({"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"})
_MATRICES: Final = ("token_embd.weight", "attn_q.weight", "attn_k.weight", "attn_v.weight",
                    "attn_output.weight", "ffn_up.weight", "ffn_down.weight")  # fmt: skip
_CHUNK: Final = 1 << 18


def convert(folder: Path, target: Path, *, name: str) -> None:
    """Write `folder`'s model as one GGUF file. Raises InvalidInput for another kind of model."""
    config = _json(folder / "config.json")
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise InvalidInput(f"{str(folder)!r} holds no BERT encoder with GELU activations.")
    weights = folder / "model.safetensors"
    tensors = _tensors(weights)
    expected = len(_OUTER) + 1 + 16 * config["num_hidden_layers"]
    if len(tensors) != expected:
        raise InvalidInput(f"{str(weights)!r} has {len(tensors)} tensors, expected {expected}.")
    gguf.write(target, _facts(folder, config, name), tensors)


def _json(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def _facts(folder: Path, config: dict[str, Any], name: str) -> dict[str, object]:
    pooling = _json(folder / "1_Pooling" / "config.json")
    if pooling["pooling_mode_mean_tokens"] == pooling["pooling_mode_cls_token"]:
        raise InvalidInput(f"{str(folder)!r}: only mean or CLS pooling can be served.")
    return {
        "general.architecture": "bert",
        "general.name": name,
        "general.file_type": 1,
        "bert.context_length": config["max_position_embeddings"],
        "bert.embedding_length": config["hidden_size"],
        "bert.feed_forward_length": config["intermediate_size"],
        "bert.block_count": config["num_hidden_layers"],
        "bert.attention.head_count": config["num_attention_heads"],
        "bert.attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "bert.attention.causal": False,
        "bert.pooling_type": 1 if pooling["pooling_mode_mean_tokens"] else 2,
        **_vocabulary(folder),
    }


def _vocabulary(folder: Path) -> dict[str, object]:
    words = (folder / "vocab.txt").read_text("utf-8").split("\n")
    if words[-1] == "":
        words.pop()
    lower = bool(_json(folder / "tokenizer_config.json").get("do_lower_case", True))
    return {
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": [_piece(word) for word in words],
        "tokenizer.ggml.token_type": [_piece_kind(word) for word in words],
        "tokenizer.ggml.normalizer.lowercase": lower,
        "tokenizer.ggml.normalizer.strip_accents": lower,
        "tokenizer.ggml.unknown_token_id": words.index("[UNK]"),
        "tokenizer.ggml.seperator_token_id": words.index("[SEP]"),
        "tokenizer.ggml.padding_token_id": words.index("[PAD]"),
        "tokenizer.ggml.cls_token_id": words.index("[CLS]"),
        "tokenizer.ggml.mask_token_id": words.index("[MASK]"),
    }


def _piece(word: str) -> str:
    """llama.cpp marks the beginning of a word; WordPiece marks everything else."""
    if word.startswith("[") and word.endswith("]"):
        return word
    return word[2:] if word.startswith("##") else "\u2581" + word


def _piece_kind(word: str) -> int:
    if word == "[UNK]":
        return gguf.TOKEN_UNKNOWN
    if word in ("[PAD]", "[CLS]", "[SEP]", "[MASK]"):
        return gguf.TOKEN_CONTROL
    return gguf.TOKEN_UNUSED if word.startswith("[unused") else gguf.TOKEN_NORMAL


def _tensors(weights: Path) -> list[gguf.Tensor]:
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        table = json.loads(file.read(size))
    table.pop("__metadata__", None)
    found = []
    for name, row in table.items():
        if name in _UNUSED:
            continue
        if row["dtype"] != "F32":
            raise InvalidInput(
                f"tensor {name!r} is {row['dtype']}; only F32 weights are converted."
            )
        begin, end = row["data_offsets"]
        found.append(_tensor(_renamed(name), row["shape"], weights, 8 + size + begin, end - begin))
    return sorted(found, key=lambda tensor: tensor.name)


def _tensor(name: str, shape: list[int], weights: Path, begin: int, size: int) -> gguf.Tensor:
    half = name.endswith(_MATRICES)
    copy = partial(_copy, weights, begin, size, half)
    if half:
        return gguf.Tensor(name, tuple(shape), gguf.F16, size // 2, copy)
    return gguf.Tensor(name, tuple(shape), gguf.F32, size, copy)


def _renamed(name: str) -> str:
    if name in _OUTER:
        return _OUTER[name]
    stem, _, kind = name.rpartition(".")
    if stem in _OUTER:
        return f"{_OUTER[stem]}.{kind}"
    parts = stem.split(".", 3)
    if parts[:2] == ["encoder", "layer"] and len(parts) == 4 and parts[3] in _LAYER:
        return f"blk.{parts[2]}.{_LAYER[parts[3]]}.{kind}"
    raise InvalidInput(f"tensor {name!r} belongs to no BERT encoder known here.")


def _copy(weights: Path, begin: int, size: int, half: bool, out: BinaryIO) -> None:
    with weights.open("rb") as file:
        file.seek(begin)
        while size:
            chunk = file.read(min(size, _CHUNK))
            if not chunk:
                raise InvalidInput(f"{str(weights)!r} is cut off.", hint="pull the model again")
            out.write(_halved(chunk) if half else chunk)
            size -= len(chunk)


def _halved(chunk: bytes) -> bytes:
    floats = array("f", chunk)
    if sys.byteorder == "big":
        floats.byteswap()
    return struct.pack(f"<{len(floats)}e", *floats)
