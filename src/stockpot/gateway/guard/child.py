"""The rail process: `python -m stockpot.gateway.guard.child`. Answers about texts over its pipes.

It ends when its worker does, since its standard input then ends. Knows policies and rails; knows no
call. Every message is a length and a kind, then MessagePack: 0 is the snapshot's part, 1 a question
(policy, rule, place, text), which is answered by a list of `Ran`.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from stockpot.rails import CompiledPolicy, RailsPart, Ran, presidio

_LENGTH = struct.Struct("<IB")
_encode = msgspec.msgpack.Encoder().encode
_question = msgspec.msgpack.Decoder(tuple[str, str, str, str]).decode
_part = msgspec.msgpack.Decoder(RailsPart).decode


def answer(policy: CompiledPolicy, rule_id: str, where: str, text: str) -> list[Ran]:
    """What a policy's rails say of a text; of one rule, or of all that run in a worker too."""
    if not rule_id:
        return policy.run(where, text)  # type: ignore[arg-type]  # what came is a place
    rule = next((rule for rule in policy.policy.rules if rule.id == rule_id), None)
    if rule is None:
        return [Ran(rule_id, error="there is no such rule")]
    return [presidio.ask(rule, text)]


def load(policies: Iterable[CompiledPolicy]) -> None:
    """Load what takes seconds to load before there is a text with a deadline."""
    for policy in policies:
        for rule in policy.elsewhere:
            if rule.rail == "presidio":
                presidio.load(rule)


def serve(into: BinaryIO, out: BinaryIO) -> None:
    """Answer until the input ends."""
    policies: dict[str, CompiledPolicy] = {}
    while len(head := into.read(_LENGTH.size)) == _LENGTH.size:
        length, kind = _LENGTH.unpack(head)
        data = into.read(length)
        if kind == 0:
            part = _part(data)
            policies = {one.id: CompiledPolicy(one, part.models) for one in part.policies}
            load(policies.values())
            said = b""
        else:
            policy_id, rule, where, text = _question(data)
            said = _encode(answer(policies[policy_id], rule, where, text))
        out.write(_LENGTH.pack(len(said), 0) + said)
        out.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's, meant for the worker
    os.nice(10)  # where both want one processor, calls that do not wait for rails go first
    serve(sys.stdin.buffer, sys.stdout.buffer)
