"""Model files and the processes that serve them.

Knows a table of models, where each can be had, how to install one, which engine processes an
instance needs and which run. Knows no gateway, no keys, no database; it starts no process itself (a
supervisor does). Importing this loads neither llama.cpp nor an HTTP client.
"""

from stockpot.engines.models import (
    ECHO,
    RECORDED,
    EngineAddress,
    EngineCommand,
    InstalledModel,
    Kind,
    ModelSpec,
    Progress,
    Report,
)
from stockpot.engines.planning import plan, player, running
from stockpot.engines.recorded.shelf import Recording, record, recordings
from stockpot.engines.service import ensure, installed, missing, pull, remove, verify, wanted
from stockpot.engines.store import DigestMismatch
from stockpot.engines.table import table

__all__ = [
    "ECHO",
    "RECORDED",
    "DigestMismatch",
    "EngineAddress",
    "EngineCommand",
    "InstalledModel",
    "Kind",
    "ModelSpec",
    "Progress",
    "Recording",
    "Report",
    "ensure",
    "installed",
    "missing",
    "plan",
    "player",
    "pull",
    "record",
    "recordings",
    "remove",
    "running",
    "table",
    "verify",
    "wanted",
]
