"""Use cases as a portfolio: how far a project is on its way from a demo to production.

Knows what evidence each rung of the way asks for and who keeps it; knows nothing of how evidence
comes about, and decides nothing but what is there.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.usecases.api import router
    from stockpot.usecases.models import Readiness
    from stockpot.usecases.ports import Address, Certified, Enforced, Evidence
    from stockpot.usecases.service import ReadinessService
    from stockpot.usecases.store import metadata
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "Readiness",
            "ports": "Address Certified Enforced Evidence",
            "service": "ReadinessService",
            "store": "metadata",
        },
    )

__all__ = [
    "Address",
    "Certified",
    "Enforced",
    "Evidence",
    "Readiness",
    "ReadinessService",
    "metadata",
    "router",
]
