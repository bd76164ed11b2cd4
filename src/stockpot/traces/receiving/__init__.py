"""Spans of others become spans of the span log: from the bytes that an application sent to rows.

Knows OTLP, dialects and rows; knows no HTTP, no engine and no key beyond what it is told of one.
"""
