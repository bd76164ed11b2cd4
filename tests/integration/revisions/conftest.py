"""Gives these tests a control plane."""

from tests.integration.control.plane import plane

__all__ = ["plane"]
