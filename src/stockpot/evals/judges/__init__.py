"""Judges: models that say how good an answer is, and how far they agree with people who said so.

Knows judges as versions, how they are asked and read, how their verdicts are counted, and their
certificates. Knows no suite and no run; who judges what, and where a certificate is shown, others
decide. A judge without a valid certificate may inform and never gate.
"""
