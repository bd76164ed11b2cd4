"""The vendors' table, `providers.toml`: one row per vendor or server. Knows no secrets."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row. `auth` is the style of the credential: `bearer`, `none`, or `header:NAME`.

    `probe` is the address at which `stockpot up` looks for a local server; `verified` says how the
    row was checked, '' is unverified. `stream_usage`: usage in a stream comes when it is asked for
    (`inject`), in any case (`always`) or not at all (`never`). `native` are dialects that it speaks
    besides its wire's own, `refuses` fields of its wire's dialect that it takes for an error.
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
    native: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()

    @property
    def needs_secret(self) -> bool:
        return self.auth != "none"


@cache
def vendors() -> tuple[Vendor, ...]:
    """All rows, in the order of the file."""
    return rows_of(files("stockpot.providers").joinpath("providers.toml").read_text("utf-8"))


def rows_of(text: str) -> tuple[Vendor, ...]:
    """The rows of a table. Raises msgspec's ValidationError for a field that no row has."""
    table = tomllib.loads(text)
    return tuple(msgspec.convert({"name": k, **v}, Vendor) for k, v in table.items())
