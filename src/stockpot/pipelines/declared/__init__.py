"""Pipelines that people declare: steps out of a table of verbs, run by a schedule or a trigger.

Knows the API of the control plane, which it calls as its users do; runs no shell and no code.
"""
