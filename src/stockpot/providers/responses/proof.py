"""Vendors' proofs of reasoning, wrapped for a field that has room for one opaque text.

A reasoning item's `encrypted_content` carries what a client must hand back so that a model takes
its reasoning again: a signature, a vendor's hidden reasoning, or the signature of a tool call. What
does not begin with our mark came from a server of Responses itself and is that vendor's own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["signed", "hidden", "call"]
_MARK = "stockpot:"


class Proof(NamedTuple):
    """`call` is the id of the tool call that a signature belongs to."""

    kind: Kind
    text: str
    call: str = ""


def wrapped(kind: Kind, text: str, call: str = "") -> str:
    name = f"{len(call)}:{call}:" if kind == "call" else ""
    return f"{_MARK}{kind}:{name}{text}"


def unwrapped(content: str) -> Proof:
    if content.startswith(_MARK):
        kind, _, rest = content.removeprefix(_MARK).partition(":")
        if kind == "signed":
            return Proof("signed", rest)
        if kind == "hidden":
            return Proof("hidden", rest)
        size, _, rest = rest.partition(":")
        if kind == "call" and size.isdecimal() and rest[int(size) :][:1] == ":":
            return Proof("call", rest[int(size) + 1 :], rest[: int(size)])
    return Proof("hidden", content)
