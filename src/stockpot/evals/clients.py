"""Clients of the gateway, for whatever evaluates. Knows where it listens; knows no run."""

from __future__ import annotations

import httpx

from stockpot.core.config import Settings
from stockpot.core.patient import Patient
from stockpot.core.urls import gateway_tls, gateway_url

_MANY = httpx.Limits(max_connections=None, max_keepalive_connections=None)
RUN, ITEM = "x-stockpot-run", "x-stockpot-item"
"""The headers with which a call names what makes it, and the row that it is about."""


def run_header(run: str) -> dict[str, str]:
    """What a client of a run sends with every call."""
    return {RUN: run} if run else {}


def item_header(item: str) -> dict[str, str]:
    """What a call about one row sends."""
    return {ITEM: in_header(item)}


def in_header(text: str) -> str:
    """A row's id as a header can say it."""
    return text.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")


def gateway_client(
    settings: Settings, secret: str, transport: httpx.AsyncBaseTransport | None = None,
    *, run: str = "",
) -> httpx.AsyncClient:  # fmt: skip
    """A client with a project's key for evaluations. Whoever asked for it closes it. All its calls
    name the run, so that they are found again when a row's words are erased."""
    return httpx.AsyncClient(
        base_url=gateway_url(settings),
        headers={"authorization": f"Bearer {secret}", **run_header(run)},
        timeout=httpx.Timeout(10.0, read=None, pool=None),  # the gateway bounds a call
        transport=Patient(gateway_tls(settings), _MANY, transport),
        trust_env=False,
    )
