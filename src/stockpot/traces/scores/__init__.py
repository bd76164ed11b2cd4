"""Scores: what somebody or something thinks of a trace, a span, a session or a data set row.

Knows scores and what they are about; knows nothing of who asks for them (feedback, annotation,
evaluation, guardrails), and of prompts only the name and version that a span carries.
"""
