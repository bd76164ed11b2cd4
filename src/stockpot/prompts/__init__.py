"""Prompts: immutable versions, movable labels, approvals; rendered by gateway, SDK and over HTTP.

Knows prompts, their history and who may change them; publishes them to the gateway as a part of the
snapshot. Knows no evaluation: who can tell that a version passed one is a `GateProof`, which the
composition root gives.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.prompts.api import router
    from stockpot.prompts.models import (
        LATEST,
        PRODUCTION,
        LabelMove,
        LabelTo,
        NewPrompt,
        NewProposal,
        NewVersion,
        PromptContent,
        PromptDetail,
        PromptFilter,
        PromptMessage,
        PromptSummary,
        PromptVersionDetail,
    )
    from stockpot.prompts.ports import GateProof
    from stockpot.prompts.wiring import Prompts, open_prompts
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "LATEST PRODUCTION LabelMove LabelTo NewPrompt NewProposal NewVersion "
            "PromptContent PromptDetail PromptFilter PromptMessage PromptSummary "
            "PromptVersionDetail",
            "ports": "GateProof",
            "wiring": "Prompts open_prompts",
        },
    )

__all__ = [
    "LATEST",
    "PRODUCTION",
    "GateProof",
    "LabelMove",
    "LabelTo",
    "NewPrompt",
    "NewProposal",
    "NewVersion",
    "PromptContent",
    "PromptDetail",
    "PromptFilter",
    "PromptMessage",
    "PromptSummary",
    "PromptVersionDetail",
    "Prompts",
    "open_prompts",
    "router",
]
