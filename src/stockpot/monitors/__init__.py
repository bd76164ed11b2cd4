"""Watching figures and telling somebody: thresholds, burn rates of error budgets, alerts, silences.

Knows rollups and scores, rules over them, and channels that messages are sent to; knows nothing of
requests, payloads or single spans. A monitor is evaluated beside the control plane's requests.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.monitors.api import router
    from stockpot.monitors.checks.api import check_router
    from stockpot.monitors.checks.doing import JOBS, CheckJobs, Doer, Underway
    from stockpot.monitors.checks.models import (
        CheckKind,
        CheckRun,
        CheckSettings,
        KeptCheck,
        NewCheck,
        Outcome,
    )
    from stockpot.monitors.checks.scheduling import Trigger
    from stockpot.monitors.checks.service import CheckService
    from stockpot.monitors.figures import Scored
    from stockpot.monitors.models import (
        Alert,
        BurnRateRule,
        Channel,
        CheckRule,
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
            "checks.api": "check_router",
            "checks.doing": "JOBS CheckJobs Doer Underway",
            "checks.models": "KeptCheck CheckKind CheckRun CheckSettings NewCheck Outcome",
            "checks.scheduling": "Trigger",
            "checks.service": "CheckService",
            "figures": "Scored",
            "models": "Alert BurnRateRule Channel CheckRule Delivery Monitor MonitorHistory "
            "MonitorSlice NewMonitor Silence ThresholdRule",
            "opening": "Monitors open_monitors",
        },
    )

__all__ = [
    "JOBS",
    "Alert",
    "BurnRateRule",
    "Channel",
    "CheckJobs",
    "CheckKind",
    "CheckRule",
    "CheckRun",
    "CheckService",
    "CheckSettings",
    "Delivery",
    "Doer",
    "KeptCheck",
    "Monitor",
    "MonitorHistory",
    "MonitorSlice",
    "Monitors",
    "NewCheck",
    "NewMonitor",
    "Outcome",
    "Scored",
    "Silence",
    "ThresholdRule",
    "Trigger",
    "Underway",
    "check_router",
    "open_monitors",
    "router",
]
