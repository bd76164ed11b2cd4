"""Compiling a snapshot into look-up tables. Knows parts and their versions; serves nothing itself.

A `View` is immutable and swapped as a whole; what must outlive it (limiters, purses, health) is
carried over by id in `Carried`. A part of a version that this worker does not know is refused, and
the worker keeps its last good view.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from stockpot.core.errors import ConfigError
from stockpot.gateway.health import Health
from stockpot.gateway.http.upstream import Origin
from stockpot.gateway.leases import Purse
from stockpot.gateway.limits import Gate
from stockpot.gateway.models import (
    SNAPSHOT_PART,
    SNAPSHOT_PART_VERSION,
    Budget,
    GatewayPart,
    Key,
    Limits,
    Project,
    Route,
    Snapshot,
    Target,
)
from stockpot.providers import Wire, wire_named

_decode_snapshot = msgspec.msgpack.Decoder(Snapshot).decode
_decode_part = msgspec.msgpack.Decoder(GatewayPart).decode


_JSON = "content-type: application/json"
_HEADS_MAX = 64
"""Paths of one target whose request heads are kept."""


class Carried:
    """State that survives a new snapshot, by id."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.purses: dict[str, Purse] = {}
        self.health: dict[str, Health] = {}

    def gate(self, ident: str, name: str, limits: Limits, share: float) -> Gate | None:
        """The gate of a scope, or None for one without limits that never had any."""
        gate = self.gates.get(ident)
        if gate is None:
            if not (limits.rpm or limits.tpm or limits.concurrency):
                return None
            gate = self.gates[ident] = Gate(limits, share, scope=name)
        else:
            gate.scope = name
            gate.update(limits, share)
        return gate

    def purse(self, budget: Budget, share: float) -> Purse:
        purse = self.purses.get(budget.id)
        if purse is None:
            purse = self.purses[budget.id] = Purse(budget, share)
        else:
            purse.update(budget, share)
        return purse


class TargetEntry:
    """A target, ready to be called: origin, request heads and health."""

    __slots__ = ("_head", "_heads", "_path", "health", "id", "origin", "price", "spec", "wire")

    def __init__(self, spec: Target, health: Health) -> None:
        parts = urlsplit(spec.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.id = spec.id
        self.spec = spec
        self.health = health
        self.price = spec.prices[-1] if spec.prices and not spec.free else None
        """The newest row, for estimates; a bill takes the row that was valid at the time."""
        self.wire: Wire = wire_named(spec.wire)
        self.origin = Origin(parts.scheme, parts.hostname or "", port)
        lines = [f"host: {parts.netloc.rpartition('@')[2]}", _JSON]
        lines += [f"{name}: {value}" for name, value in spec.headers]
        self._path = parts.path.rstrip("/")
        self._heads: dict[str, bytes] = {}
        self._head = (" HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n").encode("latin-1")

    def head(self, path: str, extra: bytes, length: int, content_type: str = "") -> bytes:
        """The complete request head for a body of `length` bytes, JSON unless said otherwise."""
        if content_type:
            first = f"POST {self._path}{path}".encode("latin-1")
            stated = f"content-type: {content_type}".encode("latin-1")
            rest = self._head.replace(_JSON.encode(), stated, 1)
            return b"%b%b%bcontent-length: %d\r\n\r\n" % (first, rest, extra, length)
        head = self._heads.get(path)
        if head is None:
            head = f"POST {self._path}{path}".encode("latin-1") + self._head
            if len(self._heads) < _HEADS_MAX:
                self._heads[path] = head
        return b"%b%bcontent-length: %d\r\n\r\n" % (head, extra, length)


class RouteEntry:
    """A route with its targets resolved, in tiers, lowest first."""

    __slots__ = ("endpoints", "fixed", "free", "name", "spec", "tiers")

    def __init__(self, spec: Route, targets: dict[str, TargetEntry]) -> None:
        self.spec = spec
        self.name = spec.name
        self.endpoints = frozenset(spec.endpoints)
        by_tier: dict[int, list[tuple[TargetEntry, int]]] = {}
        for item in spec.targets:
            if item.target in targets and item.weight > 0:
                by_tier.setdefault(item.tier, []).append((targets[item.target], item.weight))
        self.tiers = tuple(tuple(by_tier[tier]) for tier in sorted(by_tier))
        single = all(len(tier) == 1 for tier in self.tiers)
        self.fixed = tuple(tier[0][0] for tier in self.tiers) if single else None
        """The order of trying where nothing is left to chance, while every target is well."""
        self.free = all(target.spec.free for tier in self.tiers for target, _ in tier)


class KeyEntry:
    """A key with its project's limits, and the purses of both, in the order of asking."""

    __slots__ = (
        "gates", "models", "networks", "project", "purses", "shown", "shown_at", "spec",
    )  # fmt: skip

    def __init__(self, spec: Key, project: Project | None, carried: Carried, share: float) -> None:
        self.spec = spec
        self.project = project
        self.shown: list[tuple[bytes, bytes]] = []
        self.shown_at = 0
        self.models = frozenset(spec.models)
        self.networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(network, strict=False) for network in spec.networks
        )
        name = f"key {spec.name!r}"
        gates = [carried.gate(f"key:{spec.id}", name, spec.limits, share)]
        budgets = list(spec.budgets)
        if project is not None:
            name = f"project {project.name!r}"
            gates.append(carried.gate(f"project:{project.id}", name, project.limits, share))
            budgets += project.budgets
        self.gates = tuple(gate for gate in gates if gate is not None)
        self.purses = tuple(carried.purse(budget, share) for budget in budgets)

    def admits(self, client: str) -> bool:
        """Whether the key may be used from this address."""
        if not self.networks:
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return any(address in network for network in self.networks)


class View:
    """What a worker serves from: every table that a request needs, immutable."""

    __slots__ = ("keys", "part", "revision", "routes", "targets")

    def __init__(self, revision: int, part: GatewayPart, carried: Carried) -> None:
        self.revision = revision
        self.part = part
        self.targets = {
            spec.id: TargetEntry(spec, carried.health.setdefault(spec.id, Health()))
            for spec in part.targets
        }
        self.routes = {spec.name: RouteEntry(spec, self.targets) for spec in part.routes}
        projects = {project.name: project for project in part.projects}
        self.keys = {
            spec.hash: KeyEntry(spec, projects.get(spec.project), carried, part.rate_share)
            for spec in part.keys
        }


def compile_view(data: bytes, carried: Carried) -> View:
    """Raises ConfigError when the snapshot is damaged or of a version unknown here."""
    try:
        snapshot = _decode_snapshot(data)
        for part in snapshot.parts:
            if part.name != SNAPSHOT_PART:
                continue
            if part.version != SNAPSHOT_PART_VERSION:
                raise ConfigError(
                    f"snapshot part {part.name!r} has version {part.version}, this worker knows "
                    f"version {SNAPSHOT_PART_VERSION}",
                    hint="update this host's stockpot",
                )
            return View(snapshot.revision, _decode_part(part.data), carried)
    except msgspec.MsgspecError as bad:
        raise ConfigError(f"the snapshot cannot be read: {bad}") from None
    raise ConfigError(f"the snapshot has no part {SNAPSHOT_PART!r}")
