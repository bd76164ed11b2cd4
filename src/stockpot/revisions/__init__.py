"""What an instance's definitions were, are and may become: revisions, plans, journals, releases.

Knows definitions as plain nested data (section, name, field) and whoever keeps them as a `Keeper`;
knows spans, and the gateway's part of a snapshot, to rehearse a plan against recorded calls. What a
provider, an alias or a key is, is the catalog's; other capabilities add sections of their own.

Whoever changes definitions writes the new state down with `record`, and a pointer that a person
moves at run time with `moved`, in the transaction of the change.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.revisions.api import router
    from stockpot.revisions.difference import Content, Path, at, difference, patched
    from stockpot.revisions.history import Turn, turns
    from stockpot.revisions.keeper import Keeper, Seen, Target
    from stockpot.revisions.models import (
        ApplyRequest,
        Change,
        Move,
        NewSecret,
        PlanRequest,
        Revision,
    )
    from stockpot.revisions.recording import begin, moved, record, returned
    from stockpot.revisions.service import RevisionService
    from stockpot.revisions.store import moves_of
    from stockpot.revisions.tally import Tally, tally_of
    from stockpot.revisions.toml_text import Faults, parsed, written
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "difference": "Content Path at difference patched",
            "history": "Turn turns",
            "keeper": "Keeper Seen Target",
            "models": "ApplyRequest Change Move NewSecret PlanRequest Revision",
            "recording": "begin moved record returned",
            "service": "RevisionService",
            "store": "moves_of",
            "tally": "Tally tally_of",
            "toml_text": "Faults parsed written",
        },
    )

__all__ = [
    "ApplyRequest",
    "Change",
    "Content",
    "Faults",
    "Keeper",
    "Move",
    "NewSecret",
    "Path",
    "PlanRequest",
    "Revision",
    "RevisionService",
    "Seen",
    "Tally",
    "Target",
    "Turn",
    "at",
    "begin",
    "difference",
    "moved",
    "moves_of",
    "parsed",
    "patched",
    "record",
    "returned",
    "router",
    "tally_of",
    "turns",
    "written",
]
