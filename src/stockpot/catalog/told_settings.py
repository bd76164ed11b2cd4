"""The settings that an instance runs with, as an admin may read them: without their secrets.

Pure. Knows the table of settings; reads no environment.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from stockpot.catalog.models import Frozen
from stockpot.core.config import SETTINGS, Setting, Settings, Tables


class SettingShown(Frozen):
    """One row: what it is now, and the name of the environment variable that changes it."""

    name: str
    env: str
    value: str
    doc: str
    is_default: bool


def told(settings: Settings) -> tuple[SettingShown, ...]:
    """Every setting, in the order of the table."""
    return tuple(
        SettingShown(
            name=row.name,
            env=row.env,
            value=_shown(row, getattr(settings, row.name)),
            doc=row.doc,
            is_default=getattr(settings, row.name) == row.default,
        )
        for row in SETTINGS
    )


def _shown(row: Setting, value: Any) -> str:
    if isinstance(value, Tables):  # tables hold secrets of sign-in providers: only names are told
        rows = value.rows()
        return ", ".join(str(r.get("name") or _host(str(r.get("issuer", "")))) for r in rows)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return _without_password(text) if "://" in text else text


def _host(url: str) -> str:
    return urlsplit(url).hostname or "unnamed"


def _without_password(url: str) -> str:
    """An address without the name, the password and the query that may hold one."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"
