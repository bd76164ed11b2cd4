"""What a project keeps of its traces, and its people of their looks at them: retention, sampling,
erasure, repricing, saved views. Knows policies and orders; knows no table of the span log.
"""
