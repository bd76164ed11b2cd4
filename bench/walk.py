"""The walk of one chat request without sockets: what the gateway's own code costs.

    .venv/bin/python bench/walk.py [--stream] [--cache] [--prompt] [--rails [--known]] [--profile]

Bytes go in at the server's protocol and come out at fake transports, so that system calls and the
event loop are left out; the spool writes for real. Prints the best of several rounds in
microseconds of CPU time, which is the figure that least depends on what else the machine does.
With `--prompt` the request names a prompt: a chat of two messages with four variables of checked
types, which comes to the same text. With `--stream` the answer is a stream of 50 events, and the
figure is that of one event. With `--cache` all but the first request are answered out of the
gateway's cache, streams whole. With `--rails` pattern rails and the n-gram model look at the 2 KB
of the request, and pattern rails at the answer; each text has a word that was never said before, or
with `--known` it is the same text again, as system prompts and the turns before are.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import itertools
import pstats
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from stockpot.bench import mock
from stockpot.bench.rig import Rig, request
from stockpot.gateway.account import Accountant
from stockpot.gateway.attempts import Upstreams
from stockpot.gateway.cache import AnswerCache
from stockpot.gateway.face import Gateway
from stockpot.gateway.http.server import HttpServer
from stockpot.gateway.http.server_connection import ServerConnection
from stockpot.gateway.http.upstream import Origin, UpstreamClient
from stockpot.gateway.http.upstream_connection import UpstreamConnection
from stockpot.gateway.meters import Meters
from stockpot.gateway.models import CachePolicy, GatewayPart, Part
from stockpot.gateway.prompt_table import PromptEntry, PromptTable
from stockpot.gateway.rail_part import RailReader
from stockpot.gateway.snapshot import Carried, View
from stockpot.gateway.spool import Spool
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, Policy, RailsPart, Rule
from stockpot.templates import Message, Version

ROOM = {"payload_quota": 1 << 40, "ledger_quota": 1 << 40, "disk_reserve": 0}
ANSWER = (
    b'{"id":"chatcmpl-mock","object":"chat.completion","created":1700000000,"model":"mock",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"'
    + (b"apple pie and custard, " * 40)[:800]
    + b'"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":500,"completion_tokens":200,'
    b'"total_tokens":700}}'
)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
) + ANSWER

NUMBERS = itertools.count()
LETTERS = bytes.maketrans(b"0123456789", b"abcdefghij")
EVENTS = 50
STREAM = (mock._STREAM + mock._WORD, *(EVENTS - 1) * (mock._WORD,), mock._LAST)


class FakeTransport(asyncio.Transport):
    """Takes bytes and forgets them."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote = 0

    def write(self, data: Any) -> None:
        self.wrote += 1

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None


async def main(
    profile: bool, rounds: int, stream: bool, cached: bool, prompt: str, rails: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        spool = spool_in(Path(folder))
        client = UpstreamClient(proxy="")
        view = View(1, part_of(rig, cached), Carried(), prompts(prompt))
        if rails:
            view.rails = RailReader().read((guardrails(),))
        gateway = gateway_of(spool, client, view)
        asked = prompted(prompt) if prompt else request(4000, stream=stream)
        inward = FakeTransport()
        connection = connected(gateway, inward)
        outward = await upstream(client, rig)
        answer = STREAM if stream else (RESPONSE,)
        if cached:
            await walk(connection, outward, asked, answer, 1)
            answer, inward.wrote = (), 0
        walks = 20 if stream else 200
        gc.collect()
        gc.freeze()
        profiler = cProfile.Profile()
        best = 1e9
        for number in range(rounds):
            if profile and number == 6:
                profiler.enable()
            begun = time.process_time()
            await walk(connection, outward, asked, answer, walks, rails)
            best = min(best, (time.process_time() - begun) / walks * 1e6)
            profiler.disable()
        assert inward.wrote == rounds * walks * (len(answer) or 1 + stream)
        what = "hit" if cached else "event" if stream else "request"
        print(f"{best / (len(answer) or 1):.1f} µs of CPU per {what} without sockets")
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        spool.close()


def connected(gateway: Gateway, client: FakeTransport) -> ServerConnection:
    connection = HttpServer(gateway).protocol_factory()
    assert isinstance(connection, ServerConnection)
    connection.connection_made(client)
    return connection


def spool_in(folder: Path) -> Spool:
    loop = asyncio.get_running_loop()
    return Spool.open(folder, "walk", fsync="never", loop=loop, **ROOM)


def gateway_of(spool: Spool, client: UpstreamClient, view: View) -> Gateway:
    accountant = Accountant(spool, Meters())
    cache = AnswerCache(accountant, 1 << 26)
    gateway = Gateway(spool, accountant, Upstreams(client, accountant), cache=cache)
    gateway.view = view
    return gateway


RULES = (
    Rule("pii", "pii", ("input", "output"), "mask", reversible=True),
    Rule("secrets", "secrets", ("input", "output"), "block"),
    Rule("urls", "urls", ("output",), "flag"),
    Rule("words", "words", ("input", "output"), "block", {"words": ["truffle", "saffron"]}),
    Rule("injection", "injection", ("input",), "flag"),
)


def guardrails() -> Part:
    """The snapshot's part: pattern rails both ways, the n-gram model on what is asked."""
    made = RailsPart((Policy("p", "bench", RULES),), by_project={"bench": "p"})
    return Part(RAILS_PART, RAILS_PART_VERSION, msgspec.msgpack.encode(made))


def part_of(rig: Rig, cached: bool) -> GatewayPart:
    part = rig.part()
    (key,) = part.keys
    policy = CachePolicy(3600) if cached else None
    return msgspec.structs.replace(part, keys=(msgspec.structs.replace(key, cache=policy),))


SCHEMA = {
    "type": "object",
    "required": ["lead", "words", "text"],
    "additionalProperties": False,
    "properties": {
        "lead": {"type": "string"},
        "words": {"type": "integer", "minimum": 1},
        "text": {"type": "string", "maxLength": 100_000},
        "note": {"type": ["string", "null"]},
    },
}
TEMPLATES = {
    "jinja": "{{ lead }} {% if note %}{{ note }}{% endif %}{{ text }} ({{ words }})",
    "mustache": "{{lead}} {{#note}}{{note}}{{/note}}{{text}} ({{words}})",
}


def prompts(syntax: Any) -> PromptTable:
    """The snapshot's prompts: none, or the one that is asked for."""
    if not syntax:
        return {}
    messages = (Message("system", "You are terse."), Message("user", TEMPLATES[syntax]))
    version = Version(
        "menu",
        1,
        "chat",
        syntax,
        messages=messages,
        variables_schema=SCHEMA,
        model="bench-model",
        params={"temperature": 0.2, "max_tokens": 256},
        content_hash=syntax,
    )
    return {("bench", "menu"): PromptEntry("menu", {"production": 1}, {1: version})}


def prompted(syntax: str) -> bytes:
    """A request of the same size that names a prompt."""
    text = ("lorem ipsum dolor sit amet " * 9000)[:2048]
    variables = {"lead": "Say it again:", "words": 9, "text": text}
    body = msgspec.json.encode({"model": "prompt:menu", "prompt_variables": variables})
    return with_body(request(4000), body)


def with_body(asked: bytes, body: bytes) -> bytes:
    """The same request with another body."""
    head, _, _ = asked.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


async def walk(
    connection: ServerConnection,
    outward: UpstreamConnection,
    body: bytes,
    answer: tuple[bytes, ...],
    walks: int,
    rails: str = "",
) -> None:
    """Calls one after the other, with rails or without; under `new` no text is said twice."""
    vary = rails == "new"
    inward, beyond = connection.transport, outward.transport
    assert isinstance(inward, FakeTransport)
    assert isinstance(beyond, FakeTransport)
    for _ in range(walks):
        asked, told = beyond.wrote, inward.wrote
        word = (b"%05d" % next(NUMBERS)).translate(LETTERS)
        connection.data_received(body.replace(b"lorem", word, 1) if vary else body)
        while rails and beyond.wrote == asked:  # rails take turns
            await asyncio.sleep(0)
        for part in answer:
            outward.data_received(part.replace(b"apple", word, 1) if vary else part)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        while rails and inward.wrote == told:
            await asyncio.sleep(0)


async def upstream(client: UpstreamClient, rig: Rig) -> UpstreamConnection:
    """An idle connection on a fake transport, in the client's pool."""
    lane = client._pool.lane(Origin("http", "127.0.0.1", rig.mock_port))
    client.clock.start()
    connection = UpstreamConnection(lane, None)  # type: ignore[arg-type]
    connection.connection_made(FakeTransport())
    lane.give_back(connection)
    await asyncio.sleep(0)
    return connection


if __name__ == "__main__":
    import uvloop

    gc.set_threshold(20_000, 20, 20)  # as in a worker

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", action="store_true", help="answers of 50 events")
    parser.add_argument("--cache", action="store_true", help="answers out of the cache")
    parser.add_argument("--prompt", nargs="?", const="jinja", default="", choices=list(TEMPLATES))
    parser.add_argument("--rails", action="store_true", help="under a policy of five rails")
    parser.add_argument("--known", action="store_true", help="with --rails: the same text again")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--rounds", type=int, default=60, help="of 200 requests each")
    arguments = parser.parse_args()
    given = arguments
    rails = ("known" if given.known else "new") if given.rails else ""
    uvloop.run(main(given.profile, given.rounds, given.stream, given.cache, given.prompt, rails))
