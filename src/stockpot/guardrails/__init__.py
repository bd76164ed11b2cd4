"""Guardrails: policies of rails, where they hold, and the thresholds that a tenant measured.

Knows policies and their rules, calibrations and fitted models, and publishes them to the gateway as
a part of the snapshot. How a rail finds something is `rails`; when it is asked is the gateway's.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.guardrails.api import router
    from stockpot.guardrails.models import (
        Binding,
        Calibration,
        CalibrationSummary,
        NewPolicy,
        Policy,
        PolicyRule,
    )
    from stockpot.guardrails.opening import Guardrails, open_guardrails
    from stockpot.guardrails.service import GuardrailService
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "Binding Calibration CalibrationSummary NewPolicy Policy PolicyRule",
            "opening": "Guardrails open_guardrails",
            "service": "GuardrailService",
        },
    )

__all__ = [
    "Binding",
    "Calibration",
    "CalibrationSummary",
    "GuardrailService",
    "Guardrails",
    "NewPolicy",
    "Policy",
    "PolicyRule",
    "open_guardrails",
    "router",
]
