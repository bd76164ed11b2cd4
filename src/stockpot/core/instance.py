"""The files of one instance and its key. Knows folders and sealing; knows nothing of what is kept.

STOCKPOT_HOME/
  instance.key    secrets of the instance, newest first, mode 0600 (rotation adds a line)
  control.db      records of the control plane
  spans/          the span log
  spool/          records that have not reached the span log yet
  models/         model files
  run/            what runs now: addresses, process ids, the last good snapshot
  logs/           output of supervised processes
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Instance:
    """An instance is its folder; opening it creates what is missing."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def control_db(self) -> Path:
        return self.home / "control.db"

    @property
    def spans(self) -> Path:
        return self._folder("spans")

    @property
    def spool(self) -> Path:
        return self._folder("spool")

    @property
    def models(self) -> Path:
        return self._folder("models")

    @property
    def run(self) -> Path:
        return self._folder("run")

    @property
    def logs(self) -> Path:
        return self._folder("logs")

    def _folder(self, name: str) -> Path:
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @cached_property
    def secrets(self) -> tuple[bytes, ...]:
        """The instance's secrets, newest first; the first call on a fresh folder creates one."""
        path = self.home / "instance.key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".instance.key.{secrets.token_hex(8)}")  # threads race, too
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32) + "\n", "ascii")
            try:
                os.link(draft, path)  # atomic, and the loser of a race reads the winner's key
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return tuple(bytes.fromhex(line) for line in path.read_text("ascii").split())

    def rotate(self) -> None:
        """Put a new secret in front; what the old ones sealed can still be opened."""
        lines = [secrets.token_hex(32), *(s.hex() for s in self.secrets)]
        draft = self.home / ".instance.key.new"
        draft.touch(mode=0o600)
        draft.write_text("\n".join(lines) + "\n", "ascii")
        draft.replace(self.home / "instance.key")
        del self.secrets

    def derive(self, purpose: str) -> str:
        """A bearer token for one purpose: 64 hex digits, which a rotation does not change."""
        return hmac.new(self.secrets[-1], purpose.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def internal_token(self) -> str:
        """What the instance's own processes show each other."""
        return self.derive("internal")

    def seal(self, plain: bytes) -> bytes:
        """Encrypt and authenticate (Fernet: AES-128-CBC with HMAC-SHA256)."""
        return self._fernet().encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """Raises cryptography.fernet.InvalidToken when no secret of the instance opens it."""
        return self._fernet().decrypt(sealed)

    def _fernet(self) -> MultiFernet:
        import base64

        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(base64.urlsafe_b64encode(s)) for s in self.secrets])

    def announce(self, name: str, facts: dict[str, object]) -> None:
        """Publish what a running process is reachable by, as `run/<name>.json`, atomically."""
        path = self.run / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(msgspec.json.encode(facts))
        draft.replace(path)

    def announced(self, name: str) -> dict[str, object] | None:
        """What `announce` last published under this name, or None."""
        try:
            return msgspec.json.decode((self.run / f"{name}.json").read_bytes(), type=dict)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
