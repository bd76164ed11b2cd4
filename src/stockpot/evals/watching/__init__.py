"""Watching what is in production: scores of sampled spans, drift, canaries.

Each is a check (of `monitors`) with a doer of its own. Knows spans, scorers and the gateway; knows
no schedule and tells nobody: monitors do.
"""
