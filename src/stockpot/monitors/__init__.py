"""Watching figures and telling somebody: thresholds, burn rates of error budgets, alerts, silences.

Knows rollups and scores, rules over them, and channels that messages are sent to; knows nothing of
requests, payloads or single spans. A monitor is evaluated beside the control plane's requests.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.monitors.api import router
    from stockpot.monitors.figures import Scored
    from stockpot.monitors.models import (
        Alert,
        BurnRateRule,
        Channel,
        Delivery,
        Monitor,
        MonitorHistory,
        MonitorSlice,
        NewMonitor,
        Silence,
        ThresholdRule,
    )
    from stockpot.monitors.opening import Monitors, open_monitors
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "figures": "Scored",
            "models": "Alert BurnRateRule Channel Delivery Monitor MonitorHistory MonitorSlice "
            "NewMonitor Silence ThresholdRule",
            "opening": "Monitors open_monitors",
        },
    )

__all__ = [
    "Alert",
    "BurnRateRule",
    "Channel",
    "Delivery",
    "Monitor",
    "MonitorHistory",
    "MonitorSlice",
    "Monitors",
    "NewMonitor",
    "Scored",
    "Silence",
    "ThresholdRule",
    "open_monitors",
    "router",
]
