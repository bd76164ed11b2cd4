"""A control plane in this process."""

from tests.integration.control.plane import plane

__all__ = ["plane"]
