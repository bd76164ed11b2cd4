"""How much spans keep of the names of users, sessions and tags, however they came. Pure."""

from __future__ import annotations

NAME_LIMIT = 300
"""Characters of a name."""

MOST_TAGS = 64
"""Tags of one span."""

REPLAY, REPLAY_OF = "replay", "replay-of:"
"""Tags of calls that were made again, and what stands before the id of the trace they repeat."""


def short(name: str) -> str:
    """A name as spans keep it."""
    return name if len(name) <= NAME_LIMIT else name[:NAME_LIMIT]
