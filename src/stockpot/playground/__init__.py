"""Trying prompts and models by hand, and running recorded calls again, through the gateway.

Knows how to pass bytes through, how a recorded call of any dialect becomes one that can be run, and
how two answers differ; knows no model and prices nothing. Each call is an ordinary call of the key
`playground`, so it is limited, priced and recorded like any other.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.playground.api import router
    from stockpot.playground.embedding import GatewayEmbedder
    from stockpot.playground.models import RecordedCall, Replay, ReplayAsked, Share
    from stockpot.playground.passing import GatewayCaller
    from stockpot.playground.recorded import recorded_call
    from stockpot.playground.service import Playground
    from stockpot.playground.tools import ToolCaller
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "embedding": "GatewayEmbedder",
            "models": "RecordedCall Replay ReplayAsked Share",
            "passing": "GatewayCaller",
            "recorded": "recorded_call",
            "service": "Playground",
            "tools": "ToolCaller",
        },
    )

__all__ = [
    "GatewayCaller",
    "GatewayEmbedder",
    "Playground",
    "RecordedCall",
    "Replay",
    "ReplayAsked",
    "Share",
    "ToolCaller",
    "recorded_call",
    "router",
]
