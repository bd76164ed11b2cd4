"""Where an instance is reached from its own host. Knows settings; calls nobody."""

from __future__ import annotations

import ssl

from stockpot.core.config import Settings

_REACHED_AT = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104


def gateway_url(settings: Settings) -> str:
    """The gateway, without a path."""
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{_host(settings)}:{settings.gateway_port}"


def console_url(settings: Settings) -> str:
    """The control plane, without a path."""
    return f"http://{_host(settings)}:{settings.port}"


def public_url(settings: Settings) -> str:
    """The console as people reach it, perhaps through a proxy, without a path."""
    return str(settings.public_url).rstrip("/") or console_url(settings)


def trusted(url: str) -> ssl.SSLContext | bool:
    """What httpx needs as `verify` for an address: for plain HTTP a context that trusts nobody,
    because to read the root certificates takes each client 20 ms."""
    return True if url.startswith("https:") else _trusting_nobody()


def gateway_tls(settings: Settings) -> ssl.SSLContext:
    """What httpx needs as `verify` to trust the gateway's own certificate, and no other; without
    one it speaks plain HTTP, and nobody is trusted."""
    if not settings.tls_cert:
        return _trusting_nobody()
    context = ssl.create_default_context(cafile=settings.tls_cert)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may hold no root
    context.check_hostname = False  # it is called by its address, the certificate has its name
    return context


def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _host(settings: Settings) -> str:
    host = _REACHED_AT.get(settings.host, settings.host)
    return f"[{host}]" if ":" in host else host
