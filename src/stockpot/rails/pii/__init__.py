"""Structured personal data: forms, layouts and check digits. `rail` puts the detectors together."""
