"""Whole numbers as protobuf writes them: seven bits a byte, the lowest first."""

from __future__ import annotations

_MOST_BITS = 70


def read(buf: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and where it ends. Raises ValueError, and IndexError where
    the bytes end before it does."""
    byte = buf[at]
    if byte < 128:
        return byte, at + 1
    value, shift = byte & 127, 7
    while byte > 127:
        at += 1
        byte = buf[at]
        value |= (byte & 127) << shift
        shift += 7
        if shift > _MOST_BITS:
            raise ValueError("a number has too many bytes")
    return value, at + 1


def written(value: int) -> bytes:
    """A number that is not negative."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))
