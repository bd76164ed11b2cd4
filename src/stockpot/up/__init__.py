"""`stockpot up`: the process table of an instance, and the one screen that says how to use it.

Knows which processes make an instance and in which order they stop; knows nothing of what they do.
"""
