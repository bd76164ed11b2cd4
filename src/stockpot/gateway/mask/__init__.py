"""Masking personal data and secrets in payloads before they are kept.

Knows what such data look like (`detectors`) and that payloads are JSON (`document`) or streams of
JSON (`stream`); knows no policy and no file. What decodes as JSON still does after masking; where
nothing is found, the very bytes that came in are returned.
"""

from stockpot.gateway.mask.detectors import DEFAULT, DETECTORS, SHORTEST, Detector, mask_text
from stockpot.gateway.mask.document import mask
from stockpot.gateway.mask.stream import mask_sse

__all__ = ["DEFAULT", "DETECTORS", "SHORTEST", "Detector", "mask", "mask_sse", "mask_text"]
