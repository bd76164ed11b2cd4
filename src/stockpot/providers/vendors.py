"""The vendors' table, `providers.toml`: one row per vendor or server. Knows no secrets."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row. `auth` is the style of the credential: `bearer`, `none`, or `header:NAME`.

    `probe` is the address at which `stockpot up` looks for a local server; `verified` says how the
    row was checked, '' is unverified.
    """

    name: str
    title: str
    wire: str
    base_url: str
    source: str
    date: str
    auth: str = "bearer"
    env: str = ""
    local: bool = False
    probe: str = ""
    verified: str = ""
    stream_usage: str = "inject"
    prices_as: str = ""
    models: tuple[str, ...] = ()

    @property
    def needs_secret(self) -> bool:
        return self.auth != "none"


@cache
def vendors() -> tuple[Vendor, ...]:
    """All rows, in the order of the file."""
    table = tomllib.loads(files("stockpot.providers").joinpath("providers.toml").read_text("utf-8"))
    return tuple(msgspec.convert({"name": k, **v}, Vendor) for k, v in table.items())
