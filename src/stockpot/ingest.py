"""Composition root of the span log's writer: `python -m stockpot.ingest`.

The only process that writes the span log. It loads the span log and a web server, and nothing else
of the control plane, so that it is back within a moment after a crash.
"""

from __future__ import annotations

import os

from stockpot import __version__, traces
from stockpot.core import config, logs
from stockpot.core.instance import Instance
from stockpot.core.serve import serve
from stockpot.prices import PriceRow
from stockpot.traces.receiving.pricing import ToldPrices


def main() -> None:
    """Serve until SIGTERM or SIGINT, then let shipments under way be committed."""
    settings = config.load()
    logs.configure(settings.log_level)
    instance = Instance(settings.home)
    store = traces.open_store(instance, "FULL" if settings.fsync == "group" else "NORMAL")
    prices = ToldPrices(instance, _published_prices)
    app = traces.ingest_app(store, instance.internal_token, prices)
    host, _, port = settings.ingest_bind.rpartition(":")

    def started(url: str) -> None:
        instance.announce("ingest", {"url": url, "pid": os.getpid(), "version": __version__})

    async def stopping() -> None:
        (instance.run / "ingest.json").unlink(missing_ok=True)

    serve(app, host, int(port), started=started, stopping=stopping, drain_s=settings.drain_s)


def _published_prices(vendor: str, model: str) -> tuple[PriceRow, ...]:
    from stockpot.catalog.pricing import price_rows  # half a megabyte, which few spans need

    return price_rows(vendor, model)


if __name__ == "__main__":
    main()
