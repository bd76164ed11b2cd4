"""The mock upstream in Python, for machines without a C compiler: same arguments, same answers.

python -m stockpot.bench.mock PORT CHUNKS INTERVAL_US
"""

from __future__ import annotations

import asyncio
import json
import sys


def _event(data: object) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    event = f"data: {text}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def _chunk(choices: list[object], **more: object) -> bytes:
    head = {"id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1700000000}
    return _event({**head, "model": "mock", "choices": choices, **more})


_WORD = _chunk([{"index": 0, "delta": {"content": " word"}, "finish_reason": None}])
_LAST = (
    _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    + _chunk([], usage={"prompt_tokens": 500, "completion_tokens": 50, "total_tokens": 550})
    + _event("[DONE]")
    + b"0\r\n\r\n"
)
_BODY = json.dumps(
    {
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "mock",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "b" * 800},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700},
    },
    separators=(",", ":"),
).encode()
_WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunks: int, interval_s: float
) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            body = await reader.readexactly(length)
            if b'"stream":true' not in body and b'"stream": true' not in body:
                writer.write(_WHOLE)
                continue
            writer.write(_STREAM)
            for _ in range(chunks):
                writer.write(_WORD)
                await asyncio.sleep(interval_s)
            writer.write(_LAST)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(port: int, chunks: int, interval_s: float) -> None:
    server = await asyncio.start_server(
        lambda r, w: _serve(r, w, chunks, interval_s), "127.0.0.1", port, backlog=4096
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1e6))
