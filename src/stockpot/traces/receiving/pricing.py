"""What a call of somebody else's application costs. Knows names of vendors as senders write them;
where published price rows come from is told by whoever wires this.

Prices that people stated here lie in a file that the control plane writes (`tell_prices`), so that
what takes spans in asks nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from stockpot.core.instance import Instance
from stockpot.prices import Cost, PriceRow, Usage, price_of

RowsOf = Callable[[str, str], tuple[PriceRow, ...]]
"""Price rows of a model at a vendor, oldest first; none when it is unknown."""

_VENDORS = {
    "azure.ai.openai": "azure", "az.ai.openai": "azure", "azure_openai": "azure",
    "azure.ai.inference": "azure", "aws.bedrock": "aws", "aws_bedrock": "aws", "bedrock": "aws",
    "amazon-bedrock": "aws", "gcp.gemini": "google", "gcp.vertex_ai": "google",
    "gcp.gen_ai": "google", "vertexai": "google", "vertex_ai": "google", "gemini": "google",
    "google_genai": "google", "google_vertexai": "google", "google.generative-ai": "google",
    "google.vertex": "google", "google-gla": "google", "google-vertex": "google",
    "mistral_ai": "mistral", "mistralai": "mistral", "x_ai": "x-ai", "xai": "x-ai",
    "together_ai": "together", "togetherai": "together", "fireworks_ai": "fireworks",
    "moonshot_ai": "moonshotai", "cohere_ai": "cohere",
}  # fmt: skip
_KEPT = 4096


_BELIEVED_S = 5.0
_FILE = "prices.msgpack"
Priced = tuple[str, str, tuple[PriceRow, ...]]
"""Provider, model, rows."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Priced]).decode


class Prices:
    """Looks rows up once per vendor and model, and again after a few seconds."""

    def __init__(self, rows_of: RowsOf) -> None:
        self._rows_of = rows_of
        self._rows: dict[tuple[str, str], tuple[PriceRow, ...]] = {}
        self._since = time.monotonic()

    def cost(self, provider: str, models: tuple[str, ...], usage: Usage, at_ms: int) -> Cost | None:
        """The cost by the first of these names that has a price; None when none has."""
        if time.monotonic() - self._since > _BELIEVED_S:
            self._rows.clear()
            self._since = time.monotonic()
        for model in models:
            if model and (rows := self._found(provider, model)):
                return price_of(usage, rows, at_ms)
        return None

    def _found(self, provider: str, model: str) -> tuple[PriceRow, ...]:
        rows = self._rows.get((provider, model))
        if rows is None:
            if len(self._rows) >= _KEPT:
                self._rows.clear()
            rows = self._rows[provider, model] = self._look_up(provider.lower(), model)
        return rows

    def _look_up(self, provider: str, model: str) -> tuple[PriceRow, ...]:
        vendor = _VENDORS.get(provider, provider)
        rows = self._rows_of(vendor, model)
        prefix, slash, rest = model.partition("/")
        if not rows and slash:  # as routers write it
            rows = self._rows_of(_VENDORS.get(prefix, prefix), rest)
        return rows


class ToldPrices:
    """Rows out of the control plane's file where it has the model, else published ones."""

    def __init__(self, instance: Instance, published: RowsOf) -> None:
        self._path = instance.run / _FILE
        self._published = published
        self._read_ns = 0
        self._told: dict[tuple[str, str], tuple[PriceRow, ...]] = {}

    def __call__(self, vendor: str, model: str) -> tuple[PriceRow, ...]:
        self._look()
        return self._told.get((vendor, model)) or self._published(vendor, model)

    def _look(self) -> None:
        try:
            written = self._path.stat().st_mtime_ns
            if written != self._read_ns:
                found = _decode(self._path.read_bytes())
                self._told = {(provider, name): rows for provider, name, rows in found}
                self._read_ns = written
        except (FileNotFoundError, msgspec.DecodeError):
            return


def tell_prices(instance: Instance, prices: Iterable[Priced]) -> None:
    """Write the prices in force for `ToldPrices`, atomically."""
    path: Path = instance.run / _FILE
    draft = path.with_suffix(".new")
    draft.write_bytes(_encode(list(prices)))
    draft.replace(path)


def no_prices(vendor: str, model: str) -> tuple[PriceRow, ...]:
    """Rows where nobody knows any."""
    return ()
