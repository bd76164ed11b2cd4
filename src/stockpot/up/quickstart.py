"""The key that the first screen shows. Knows one sealed file; asks the control plane for the rest.

A key's secret is shown once and only its hash is kept. The quickstart key is the exception, so that
each start can print a line that works: its secret lies in `run/quickstart.sealed`, sealed with the
instance's key and readable by the owner alone. Deleting the key in the console ends it; the next
start makes another.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from stockpot.core.client import Client
    from stockpot.core.instance import Instance

NAME = "quickstart"


class _Kept(msgspec.Struct, frozen=True):
    id: str
    key: str


def quickstart_key(client: Client, instance: Instance) -> str:
    """The secret of a key that works now: the kept one, or a new one."""
    kept = _read(instance)
    if kept is not None:
        known = {record["id"]: record for record in client.get("/api/v1/keys")}
        if known.get(kept.id, {}).get("state") == "active":
            return kept.key
    created = client.post("/api/v1/keys", {"name": NAME, "project": "default"})
    _write(instance, _Kept(created["record"]["id"], created["key"]))
    return str(created["key"])


def _read(instance: Instance) -> _Kept | None:
    from cryptography.fernet import InvalidToken

    try:
        sealed = (instance.run / "quickstart.sealed").read_bytes()
        return msgspec.json.decode(instance.unseal(sealed), type=_Kept)
    except (FileNotFoundError, InvalidToken, msgspec.DecodeError):
        return None


def _write(instance: Instance, kept: _Kept) -> None:
    draft = instance.run / f".quickstart.sealed.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_bytes(instance.seal(msgspec.json.encode(kept)))
    draft.replace(instance.run / "quickstart.sealed")
