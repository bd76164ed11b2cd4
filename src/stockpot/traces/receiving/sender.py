"""Whose spans a request holds. A record, without I/O."""

from __future__ import annotations

from typing import NamedTuple


class Sender(NamedTuple):
    """`environment` is '' where the sender's own word counts; `payloads` is the policy for bodies:
    none, masked or full."""

    project: str
    environment: str
    key_id: str
    payloads: str
