"""Golden files of every translation: a rich request of each dialect as each wire says it, and one
answer of each wire as each dialect tells it.

    STOCKPOT_GOLDEN=write pytest tests/unit/providers/test_translations.py

writes the files anew; read their difference before it is committed.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot.gateway import Target
from stockpot.prices import Usage
from stockpot.providers import Ask, dialects, wire_named
from stockpot.providers.canon import (
    Began,
    Citation,
    Cited,
    Ended,
    Event,
    Metered,
    PartBegan,
    PartDelta,
    PartEnded,
    PartSigned,
)

HERE = Path(__file__).with_name("golden")
CLIENTS = {
    "openai": b"/v1/chat/completions",
    "anthropic": b"/v1/messages",
    "gemini": b"/v1beta/models/alias:streamGenerateContent",
}
TARGETS = {
    "openai": Target("t", "p", "openai", "https://api.openai.com/v1", "gpt-5.1"),
    "anthropic": Target("t", "p", "anthropic", "https://a.example/v1", "claude-sonnet-4-5"),
    "gemini": Target("t", "p", "gemini", "https://g.example/v1beta", "gemini-2.5-pro"),
    "bedrock": Target(
        "t", "p", "bedrock", "https://b.example", "anthropic.claude-sonnet-4-5-20250929-v1:0",
        headers=(("authorization", "Bearer k"),),
    ),
}  # fmt: skip
PAIRS = [(client, wire) for client in CLIENTS for wire in TARGETS if client != wire]

ANSWER: list[Event] = [
    Began("resp_1", "served-model"),
    PartBegan(index=0, kind="reasoning"),
    PartDelta(0, "It "),
    PartDelta(0, "whistles."),
    PartSigned(0, "c2lnbmVk"),
    PartEnded(0),
    PartBegan(index=1, kind="text"),
    PartDelta(1, "Tea, "),
    PartDelta(1, 'says "he" 🫖'),
    Cited(1, Citation(url="https://x.example/", title="Tea", quote="Tea", start=0, end=3)),
    PartEnded(1),
    PartBegan(index=2, kind="tool_call", ident="call_1", name="boil"),
    PartDelta(2, '{"cups":'),
    PartDelta(2, "2}"),
    PartEnded(2),
    PartBegan(index=3, kind="tool_call", ident="call_2", name="clock"),
    PartDelta(3, "{}"),
    PartEnded(3),
    Ended(reason="tool_calls", said="tool_use"),
    Metered(Usage(120, 30, 100, 10, 12)),
]


def asked(client: str, stream: bool = True) -> Ask:
    path = CLIENTS[client]
    dialect = next(
        d for d in dialects() if path in d.paths or (d.below and path.startswith(d.below))
    )
    body = (HERE / client / "request.json").read_bytes()
    if not stream:
        path = path.replace(b"streamGenerateContent", b"generateContent")
        fields = json.loads(body)
        fields.pop("stream_options", None)
        body = json.dumps({**fields, "stream": False} if "stream" in fields else fields).encode()
    return dialect.read("chat", body, path, {})


def is_golden(name: str, made: str) -> bool:
    path = HERE / "translations" / name
    if os.environ.get("STOCKPOT_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.encode())
    return path.read_bytes() == made.encode()


def shown(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(("client", "wire"), PAIRS)
def test_a_request_is_said_as_in_its_golden_file(client: str, wire: str) -> None:
    out = wire_named(wire).outgoing(asked(client), TARGETS[wire])
    losses = [msgspec.structs.asdict(loss) for loss in out.losses]
    made = {"path": out.path, "body": json.loads(out.body), "losses": losses}
    assert is_golden(f"{client}-to-{wire}.json", shown(made))


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_is_told_as_in_its_golden_files(client: str) -> None:
    ask = asked(client)
    assert ask.spoken is not None
    writer = ask.spoken.writer(ask)
    stream = b"".join(writer.write([event]) for event in ANSWER) + writer.end()
    assert is_golden(f"answer-to-{client}.stream", plain(stream.decode()))
    once = asked(client, stream=False)
    whole = json.loads(ask.spoken.writer(once).complete(ANSWER))
    assert is_golden(f"answer-to-{client}.json", plain(shown(whole)))


def plain(text: str) -> str:
    """Without the time of day."""
    return re.sub(r'("created": ?)\d+', r"\g<1>0", text)
