"""Settings: one table, read from the environment and from `stockpot.toml`. Knows no capability.

Precedence: environment variable, then `[settings]` of `$STOCKPOT_HOME/stockpot.toml`, then default.
The reference page of the documentation is generated from `SETTINGS`.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stockpot.core.errors import ConfigError, did_you_mean


class Tables(str):
    """A list of tables, kept as JSON: an environment variable holds the JSON itself, the file
    `[[settings.<name>]]`."""

    def __new__(cls, raw: Any) -> Tables:
        rows = json.loads(raw or "[]") if isinstance(raw, str) else raw
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(raw)
        return super().__new__(cls, json.dumps(rows) if rows else "")

    def rows(self) -> list[dict[str, Any]]:
        return list(json.loads(self or "[]"))


class Setting(NamedTuple):
    """One row of the settings table; `env` is `STOCKPOT_` plus the upper-case name."""

    name: str
    kind: type
    default: Any
    doc: str

    @property
    def env(self) -> str:
        return f"STOCKPOT_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting("home", Path, Path("~/.stockpot"), "Folder of all state of an instance."),
    Setting("host", str, "127.0.0.1", "Address that the gateway and the console listen on."),
    Setting("gateway_port", int, 4000, "Port of the gateway (API dialects)."),
    Setting("port", int, 4001, "Port of the control plane: API and console."),
    Setting("ingest_bind", str, "127.0.0.1:0", "host:port of ingest; port 0 picks a free one."),
    Setting("workers", int, 0, "Gateway worker processes; 0: one per core but one, at least one."),
    Setting("default_model", str, "smollm2-135m", "Chat model that `stockpot up` starts."),
    Setting("engines", str, "auto", "`auto`, `none`, or a comma-separated list of engine models."),
    Setting("discover", bool, True, "Look for vendor keys and local model servers at start."),
    Setting("log_level", str, "info", "debug, info, warning or error."),
    Setting("fsync", str, "never", "Spool: `never` survives kill -9, `group` also power loss."),
    Setting("payloads", str, "full", "Payload policy of new projects: none, masked or full."),
    Setting("spool_payload_mb", int, 2048, "Quota of spooled payloads; beyond it they are shed."),
    Setting("spool_ledger_mb", int, 512, "Quota of the ledger; beyond it the key decides."),
    Setting("otlp_backlog_mb", int, 1024, "What may be spooled before spans are answered 429."),
    Setting("cache_mb", int, 64, "Memory per worker for answers that keys allow to be repeated."),
    Setting("disk_reserve_mb", int, 256, "Free disk space under which payloads are shed."),
    Setting("max_body_mb", int, 32, "Largest accepted request body."),
    Setting("max_header_kb", int, 64, "Largest accepted request head."),
    Setting("header_timeout_s", float, 10.0, "Time a client has to send a request head."),
    Setting("body_timeout_s", float, 60.0, "Longest pause inside a request body."),
    Setting("write_timeout_s", float, 60.0, "Longest time a client may refuse to read its answer."),
    Setting("keepalive_s", float, 75.0, "Idle time after which a client connection is closed."),
    Setting("drain_s", float, 25.0, "Time that calls in flight have to finish at shutdown."),
    Setting("max_connections", int, 20000, "Client connections per worker."),
    Setting("tls_cert", str, "", "PEM certificate chain; serves HTTPS when set with tls_key."),
    Setting("tls_key", str, "", "PEM private key of tls_cert."),
    Setting("trusted_proxies", str, "", "Networks whose X-Forwarded-For is believed, with commas."),
    Setting("cors_origins", str, "", "Web origins that may call the gateway, with commas, or `*`."),
    Setting("upstream_ca", str, "", "PEM bundle trusted for upstreams besides the system's."),
    Setting("upstream_proxy", str, "", "HTTP proxy for HTTPS upstreams; HTTPS_PROXY when empty."),
    Setting("upstream_trace", bool, True, "Tell upstreams the trace: traceparent, tracestate."),
    Setting("private_upstreams", bool, True, "Allow providers on loopback and private networks."),
    Setting("tool_hosts", str, "", "Hosts that tools of the playground may call, with commas."),
    Setting("database_url", str, "", "postgresql://USER@HOST/DB; empty: SQLite in the home."),
    Setting("otlp_url", str, "", "Backend that gets every span as OTLP, before `/v1/traces`."),
    Setting("otlp_headers", str, "", "Headers for it, as `name=value` with commas."),
    Setting("otlp_grpc_port", int, 0, "Port for OTLP over gRPC (stockpot[grpc]); 0: none."),
    Setting("fleet", int, 0, "Gateway workers of all hosts together; 0: those of this host."),
    Setting("kv_url", str, "", "valkey://HOST:PORT/0 shares rate limits over hosts."),
    Setting("control_url", str, "", "Control plane on another host; this one runs workers only."),
    Setting("ingest_url", str, "", "Ingest on another host, with control_url."),
    Setting("public_url", str, "", "Address of the console as people type it; for OIDC and links."),
    Setting("password_sign_in", bool, True, "Allow signing in with a password."),
    Setting("oidc", Tables, Tables(""), "Sign-in providers: tables of issuer, client_id and more."),
    Setting("pipeline_files", str, "", "Folder that pipelines read; empty: `pipelines` in home."),
    Setting("hub_url", str, "", "Model hub; empty is the public one."),
)  # fmt: skip

_BY_NAME = {s.name: s for s in SETTINGS}
_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class Settings:
    """Immutable values of every row of `SETTINGS`, as attributes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def replaced(self, **changes: Any) -> Settings:
        return Settings({**self._values, **changes})

    def environment(self) -> dict[str, str]:
        """The values as environment variables, for child processes."""
        return {_BY_NAME[k].env: str(v) for k, v in self._values.items()}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises ConfigError naming the variable or key that is wrong."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get("STOCKPOT_HOME") or _BY_NAME["home"].default).expanduser().absolute()
    from_file = _read_file(home / "stockpot.toml")
    values: dict[str, Any] = {}
    for row in SETTINGS:
        if row.env in environ:
            values[row.name] = _convert(row, environ[row.env], row.env)
        elif row.name in from_file:
            values[row.name] = _convert(row, from_file[row.name], f"settings.{row.name}")
        else:
            values[row.name] = row.default
    values["home"] = home
    if values["port"] == values["gateway_port"] != 0:
        raise ConfigError(
            f"the gateway and the control plane cannot both have port {values['port']}",
            hint="STOCKPOT_PORT and STOCKPOT_GATEWAY_PORT name them",
        )
    return Settings(values)


def pairs(text: str, where: str) -> dict[str, str]:
    """`name=value` items with commas. Raises ConfigError without quoting a value."""
    found = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{where} must be name=value items with commas between them")
        found[name.strip()] = value.strip()
    return found


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("settings", {})
    except tomllib.TOMLDecodeError as bad:
        raise ConfigError(f"{path} is not valid TOML: {bad}") from None
    for key in table:
        if key not in _BY_NAME:
            raise ConfigError(
                f"unknown setting {key!r} in {path}.{did_you_mean(key, _BY_NAME)}",
                hint="stockpot doctor",
            )
    return dict(table)


def _convert(row: Setting, raw: Any, where: str) -> Any:
    try:
        if row.kind is bool and isinstance(raw, str):
            return _TRUTH[raw.strip().lower()]
        value = row.kind(raw)
    except (ValueError, KeyError, TypeError):
        kind = _IN_WORDS.get(row.kind, row.kind.__name__)
        raise ConfigError(f"{where} must be {kind}, not {raw!r}") from None
    if row.name.endswith("port") and not 0 <= value <= 65_535:
        raise ConfigError(f"{where} must be a port, up to 65535, not {value}")
    return value


_IN_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false"}
