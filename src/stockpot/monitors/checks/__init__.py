"""Checks: work that is done again and again, and what each time came of it.

Knows schedules, runs and who may ask for them; knows nothing of what a check does: each kind has a
doer of its own, which another capability gives. A monitor may watch a check's runs (`CheckRule`).
"""
