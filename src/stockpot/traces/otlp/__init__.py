"""OTLP's traces as bytes: protobuf and JSON, packed or not. Knows no dialect and no store."""

from __future__ import annotations

from collections.abc import Iterator

from stockpot.gateway import otlp
from stockpot.traces.otlp import json_form, protobuf
from stockpot.traces.otlp.incoming import JSON, PROTOBUF, Incoming, Piece, Unreadable

unpacked = otlp.unpacked
"""A body as it was before its content encoding."""

__all__ = [
    "JSON",
    "PROTOBUF",
    "Incoming",
    "Piece",
    "Unreadable",
    "read",
    "read_piece",
    "unpacked",
]


def read(body: bytes, form: str) -> Iterator[Incoming]:
    """The spans of a request, in order. Raises Unreadable."""
    return json_form.read(body) if form == JSON else protobuf.read(body)


def read_piece(piece: Piece) -> Incoming:
    """One span out of the bytes that were kept of it."""
    return json_form.read_piece(piece) if piece.form == JSON else protobuf.read_piece(piece)
