"""Unpacking what was sent compressed, up to a bound: a small body may hold a very large one."""

from __future__ import annotations

import zlib

import zstandard

from stockpot.core.errors import InvalidInput

KNOWN = ("", "identity", "gzip", "deflate", "zstd")


class TooLarge(InvalidInput):
    """More came out than may be taken in."""

    code, status = "too_large", 413


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """A body as it was before its content encoding. Raises InvalidInput."""
    if encoding in ("", "identity"):
        return body
    try:
        if encoding == "gzip":
            return _inflated(body, 31, most)
        if encoding == "deflate":
            return _inflated(body, 47 if body[:1] == b"\x1f" else _deflate_window(body), most)
        if encoding == "zstd":
            return _zstd(body, most)
    except (zlib.error, zstandard.ZstdError) as bad:
        raise InvalidInput(f"the body is no {encoding}: {bad}") from None
    raise InvalidInput(
        f"content-encoding {encoding!r} is not known", hint=f"one of {', '.join(KNOWN[1:])}"
    )


def _deflate_window(body: bytes) -> int:
    """Some senders mean zlib by `deflate`, as the standard does, and some the bare stream."""
    zlib_head = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return 15 if zlib_head else -15


def _inflated(body: bytes, window: int, most: int) -> bytes:
    pieces, left = [], most
    while body:
        stream = zlib.decompressobj(window)
        pieces.append(stream.decompress(body, left + 1))
        left -= len(pieces[-1])
        if left < 0 or stream.unconsumed_tail:
            raise _too_large(most)
        if not stream.eof:
            raise zlib.error("it ends too early")
        body = stream.unused_data
    return b"".join(pieces)


def _zstd(body: bytes, most: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
        found = reader.read(most + 1)
    if len(found) > most:
        raise _too_large(most)
    if len(found) < zstandard.frame_content_size(body):
        raise zstandard.ZstdError("it ends too early")
    return found


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"unpacked, a body may have at most {most >> 20} MB", hint="send smaller batches"
    )
