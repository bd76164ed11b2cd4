"""The durable spool: what a call leaves behind, on this host's disk until ingest has it.

Knows files, frames and room on the disk; knows no HTTP, no store, no policy of a key. A worker
writes (`Spool`), the shipper reads (`read_entries`, `read_bodies`) and deletes.
"""

from stockpot.gateway.spool.format import Bodies
from stockpot.gateway.spool.reader import ledger_path, read_bodies, read_entries, segments
from stockpot.gateway.spool.room import SpoolState
from stockpot.gateway.spool.tail import INTERRUPTED, Batch, Tail
from stockpot.gateway.spool.writer import Spool

__all__ = [
    "INTERRUPTED",
    "Batch",
    "Bodies",
    "Spool",
    "SpoolState",
    "Tail",
    "ledger_path",
    "read_bodies",
    "read_entries",
    "segments",
]
