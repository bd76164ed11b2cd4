"""Reading a LiteLLM proxy's `config.yaml` as definitions, and telling what of it cannot be.

Knows the keys that LiteLLM's documentation publishes (docs.litellm.ai, proxy configuration and
routing, read in November 2026) and the definitions of the catalog; asks nobody. What is not mapped
is listed with the reason, each key by its path; nothing is dropped in silence.
"""

from stockpot.catalog.litellm.translation import Imported, translated

__all__ = ["Imported", "translated"]
