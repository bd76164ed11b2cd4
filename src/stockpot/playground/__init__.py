"""Talking to any model from the console, through the gateway like every application.

Knows one route and how to pass bytes through; knows no model and keeps nothing. Each turn is an
ordinary call of the key `playground`, so it is limited, priced and recorded like any other.
"""

from stockpot.playground.api import router
from stockpot.playground.passing import GatewayCaller

__all__ = ["GatewayCaller", "router"]
