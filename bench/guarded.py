"""CPU time per request under a policy: none, texts that come again, a new turn, new texts, prose.

    .venv/bin/python bench/guarded.py [--seconds 4] [--rounds 5]

The load and the rig are those of `stockpot bench gateway`: 64 connections, 2 KB prompts, 1 KB
answers, every feature on; the policy is that of `bench/walk.py --rails`, pattern rails both ways
and the n-gram model on what is asked. Texts that come again are remembered as clean, answers are
always looked at; of new texts each has a word that was never said before. `turn` is a conversation
of 2 KB, as applications send them: a system prompt and an earlier exchange that come again, and a
new question of 200 characters. `prose` is all new, on 2 KB pieces of the documentation with its
many words, marks and lines, where `new` says five words again and again. Of the documentation only
pieces are sent in which the rails find nothing, as they do in nearly all traffic. Rounds take turns
between the five. Needs wrk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import msgspec
from walk import RULES, with_body

from stockpot.bench.figures import settle, warm
from stockpot.bench.load import throughput
from stockpot.bench.rig import Rig, request
from stockpot.gateway.models import GatewayPart, Part
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, CompiledPolicy, Policy, RailsPart

GUARDED = b"bench-guard"
"""The name of the guarded route: as long as the other's."""
ANEW = """
local number = (os.time() % 10000) * 100000
local letters = function(digit) return string.char(97 + tonumber(digit)) end
local body = wrk.body
request = function()
  number = number + 1
  local word = string.format("%09d", number):gsub("%d", letters)
  return wrk.format(nil, nil, nil, (body:gsub("lorem", word, 1)))
end
"""
PROSE = """
local pieces = {{{pieces}}}
local number = (os.time() % 10000) * 100000
local letters = function(digit) return string.char(97 + tonumber(digit)) end
local body = wrk.body
local first = body:find('lorem', 1, true)
local last = body:find('"', first, true) - 1
local head, tail = body:sub(1, first - 1), body:sub(last + 1)
request = function()
  number = number + 1
  local word = string.format("%09d", number):gsub("%d", letters)
  local piece = pieces[number % #pieces + 1]
  return wrk.format(nil, nil, nil, head .. word .. " " .. piece .. tail)
end
"""
DOCS = Path(__file__).parents[1] / "docs"
CHARACTERS, QUESTION = 2048, 200


def harmless(size: int) -> list[str]:
    """Pieces of the documentation in which the rails find nothing."""
    text = "\n".join(page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md")))
    text = text.encode("ascii", "ignore").decode()
    policy = CompiledPolicy(Policy("p", "bench", RULES))
    pieces = [text[at : at + size] for at in range(0, len(text) - size, size)]
    return [piece for piece in pieces if policy.clean(policy.run("input", piece))]


def prose(size: int) -> str:
    """The script that sends such pieces."""
    pieces = harmless(size - len("abcdefghi "))
    quoted = ",".join(f"[==[{json.dumps(piece)[1:-1]}]==]" for piece in pieces)
    return PROSE.format(pieces=quoted)


def talk(asked: bytes) -> bytes:
    """The same request with a conversation, the last turn of which the script of `prose` writes."""
    _, _, body = asked.partition(b"\r\n\r\n")
    system = harmless(CHARACTERS - 3 * QUESTION)[0]
    question, answer, *_ = harmless(QUESTION)
    said = (("system", system), ("user", question), ("assistant", answer), ("user", "lorem"))
    messages = [{"role": role, "content": text} for role, text in said]
    body = json.dumps(json.loads(body) | {"messages": messages}, separators=(",", ":")).encode()
    return with_body(asked, body)


class Guarding(Rig):
    """A rig with a second route to the same model, which the policy looks at."""

    def part(self) -> GatewayPart:
        made = super().part()
        other = msgspec.structs.replace(made.routes[0], name=GUARDED.decode())
        return msgspec.structs.replace(made, routes=(*made.routes, other))


def asked_by(port: int) -> dict[str, tuple[bytes, str]]:
    """What each side asks: a request, and what wrk's script makes of it."""
    plain = request(port)
    guarded = plain.replace(b"bench-model", GUARDED)
    return {
        "plain": (plain, ""),
        "again": (guarded, ""),
        "turn": (talk(guarded), prose(QUESTION)),
        "new": (guarded, ANEW),
        "prose": (guarded, prose(CHARACTERS)),
    }


def main(seconds: float, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Guarding(Path(folder))
        policy = RailsPart(
            (Policy("p", "bench", RULES),), by_route={f"bench/{GUARDED.decode()}": "p"}
        )
        rig.more = (Part(RAILS_PART, RAILS_PART_VERSION, msgspec.msgpack.encode(policy)),)
        rig.start_mock(5000)
        worker = rig.start_worker()
        sides = asked_by(rig.port)
        found: dict[str, list[float]] = {name: [] for name in sides}
        try:
            settle()
            warm(rig)
            for number in range(rounds + 1):
                for name, (asked, lua) in sides.items():
                    before = worker.cpu_s()
                    run = throughput(rig.port, asked, 64, seconds, rig.folder, rig.other, lua=lua)
                    if run.errors:
                        raise SystemExit(f"{run.errors} requests failed")
                    if number:  # the first round warms up
                        found[name].append((worker.cpu_s() - before) * 1e6 / run.requests)
        finally:
            rig.stop()
    us = {name: round(statistics.median(costs), 1) for name, costs in found.items()}
    print(
        "CPU per request, µs: plain {plain}, texts that come again {again}, a new turn {turn}, "
        "new texts {new}, prose {prose}".format(**us)
    )
    print(json.dumps(us))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.rounds)
