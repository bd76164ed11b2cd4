"""Whether the files that TLS settings name can be used. Knows PEM files; opens no connection."""

from __future__ import annotations

import ssl
from pathlib import Path

from stockpot.core.config import Settings
from stockpot.core.errors import ConfigError


def check(settings: Settings) -> None:
    """Raises ConfigError that names the setting whose file is missing, unreadable or not a pair."""
    for name in ("tls_cert", "tls_key", "upstream_ca"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise ConfigError(f"STOCKPOT_{name.upper()}={path!r} is no file")
    if settings.tls_key and not settings.tls_cert:
        raise ConfigError("STOCKPOT_TLS_KEY is set without STOCKPOT_TLS_CERT")
    try:
        if settings.tls_cert:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
    except (OSError, ssl.SSLError) as bad:
        raise ConfigError(
            f"STOCKPOT_TLS_CERT={settings.tls_cert!r} and STOCKPOT_TLS_KEY={settings.tls_key!r} "
            f"are no certificate chain in PEM with its private key: {bad}"
        ) from None
    try:
        if settings.upstream_ca:
            ssl.create_default_context(cafile=settings.upstream_ca)
    except (OSError, ssl.SSLError) as bad:
        raise ConfigError(
            f"STOCKPOT_UPSTREAM_CA={settings.upstream_ca!r} holds no certificates in PEM: {bad}"
        ) from None
