"""Compiling a snapshot into look-up tables. Knows parts and their versions; serves nothing itself.

A `View` is immutable and swapped as a whole; what must outlive it (limiters, purses, health) is
carried over by id in `Carried`. A part of a version that this worker does not know is refused, and
the worker keeps its last good view.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from stockpot.core.errors import ConfigError
from stockpot.gateway.allowance import Traffic
from stockpot.gateway.experiment_table import ExperimentReader, ExperimentTable
from stockpot.gateway.health import ORDINARY, Health
from stockpot.gateway.http.upstream import Origin
from stockpot.gateway.leases import Purse
from stockpot.gateway.limits import Gate
from stockpot.gateway.models import (
    SNAPSHOT_PART,
    SNAPSHOT_PART_VERSION,
    Breaker,
    Budget,
    GatewayPart,
    Key,
    Limits,
    Part,
    Project,
    Route,
    Rule,
    Snapshot,
    Target,
)
from stockpot.gateway.pace import Pace
from stockpot.gateway.prompt_table import NO_PROMPTS, PromptReader, PromptTable
from stockpot.gateway.rates import RateDesk
from stockpot.gateway.scopes import Scope, Users, splits
from stockpot.prices import ordinary_row
from stockpot.providers import ROLE_PARTS, Wire, wire_named

_decode_snapshot = msgspec.msgpack.Decoder(Snapshot).decode
_encode = msgspec.msgpack.Encoder().encode
_decode_part = msgspec.msgpack.Decoder(GatewayPart).decode


_JSON = "content-type: application/json"
_HEADS_MAX = 64
"""Paths of one target whose request heads are kept."""


class RailsOf(Protocol):
    """Whoever compiles the guardrails of a snapshot."""

    def read(self, parts: tuple[Part, ...]) -> Callable[[Any], Any] | None:
        """A stage of the pipeline; None without a policy. Raises ConfigError."""
        ...


class Carried:
    """State that survives a new snapshot, by id. With a `desk` rates are shared among workers,
    with a `slots` desk their calls at once."""

    def __init__(
        self,
        desk: RateDesk | None = None,
        rails: RailsOf | None = None,
        slots: RateDesk | None = None,
    ) -> None:
        self.desk = desk
        self.slots = slots
        self.users = Users(desk, slots)
        self.gates: dict[str, Gate] = {}
        self.purses: dict[str, Purse] = {}
        self.health: dict[str, Health] = {}
        self.traffic: dict[str, Traffic] = {}
        """Of routes, by name."""
        self.prompts = PromptReader()
        self.experiments = ExperimentReader()
        self.rails = rails

    def gate(self, ident: str, name: str, limits: Limits, share: float) -> Gate | None:
        """The gate of a scope, or None for one without limits that never had any."""
        gate = self.gates.get(ident)
        if gate is None:
            if not (limits.rpm or limits.tpm or limits.concurrency):
                return None
            desks = {"desk": self.desk, "slots": self.slots}
            gate = Gate(limits, share, scope=name, ident=ident, **desks)
            self.gates[ident] = gate
        else:
            gate.scope = name
            gate.update(limits, share)
        return gate

    def scope(self, ident: str, name: str, owner: Key | Project, share: float) -> Scope:
        """A key or a project whose users or models have limits of their own."""
        models = {
            m.model: self.gate(
                f"{ident}:model:{m.model}", f"{name} for {m.model!r}", m.limits, share
            )
            for m in owner.model_limits
        }
        found = {model: gate for model, gate in models.items() if gate is not None}
        return Scope(ident, name, owner.user_limits, found, share, self.users)

    def purse(self, budget: Budget, name: str, share: float) -> Purse:
        purse = self.purses.get(budget.id)
        if purse is None:
            purse = self.purses[budget.id] = Purse(budget, share, name)
        else:
            purse.scope = name
            purse.update(budget, share)
        return purse


class TargetEntry:
    """A target, ready to be called: origin, request heads and health."""

    __slots__ = (
        "_head", "_heads", "_path", "health", "id", "origin", "price", "spec", "watched", "wire",
    )  # fmt: skip

    def __init__(self, spec: Target, health: Health) -> None:
        parts = urlsplit(spec.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.id = spec.id
        self.spec = spec
        self.health = health
        self.watched = False
        """Whether what it says of its rate limits is heeded: where another target could do."""
        now_ms = time.time_ns() // 1_000_000
        self.price = None if spec.free else ordinary_row(spec.prices, now_ms)
        """The present row, for estimates; a bill takes the row that was valid at the time."""
        self.wire: Wire = wire_named(spec.wire)
        self.origin = Origin(parts.scheme, parts.hostname or "", port)
        lines = [f"host: {parts.netloc.rpartition('@')[2]}", _JSON]
        lines += [f"{name}: {value}" for name, value in spec.headers]
        self._path = parts.path.rstrip("/")
        self._heads: dict[str, bytes] = {}
        self._head = (" HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n").encode("latin-1")

    def renew(self, options: dict[str, str]) -> None:
        """Take newer credentials from the next call on. The only thing that changes in a view: who
        serves what stays as it was published."""
        self.spec = structs.replace(self.spec, options=self.spec.options | options)

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


Tier = tuple[tuple[TargetEntry, int], ...]


class RouteEntry:
    """A route with its targets resolved, in tiers, lowest first."""

    __slots__ = (
        "_digest", "endpoints", "extras", "fixed", "free", "name", "rules", "shadow", "spec",
        "targets", "tiers", "traffic",
    )  # fmt: skip

    def __init__(self, spec: Route, targets: dict[str, TargetEntry], traffic: Traffic) -> None:
        self.spec = spec
        self._digest = b""
        self.name = spec.name
        self.endpoints = frozenset(spec.endpoints)
        by_tier: dict[int, list[tuple[TargetEntry, int]]] = {}
        for item in spec.targets:
            if item.target in targets and item.weight > 0:
                by_tier.setdefault(item.tier, []).append((targets[item.target], item.weight))
        self.tiers: tuple[Tier, ...] = tuple(tuple(by_tier[tier]) for tier in sorted(by_tier))
        self.rules = tuple((rule, self._of(rule, targets, sorted(by_tier))) for rule in spec.rules)
        ways = (self.tiers, *(tiers for _, tiers in self.rules))
        every = [target for tiers in ways for tier in tiers for target, _ in tier]
        self.targets = tuple(dict.fromkeys(every))
        """All that a call may come to, each once."""
        single = spec.strategy == "priority" or all(len(tier) == 1 for tier in self.tiers)
        first = [target for tier in self.tiers for target, _ in tier]
        self.fixed = tuple(first) if single and not self.rules else None
        """The order of trying where nothing is left to chance, while every target is well."""
        self.free = all(target.spec.free for target in self.targets)
        self.shadow = targets.get(spec.shadow.target) if spec.shadow is not None else None
        self.extras = spec.hedge is not None or self.shadow is not None
        self.traffic = traffic
        traffic.allow(spec)
        self._watch()

    @property
    def digest(self) -> bytes:
        """What tells this state of the route, its targets included, from any other."""
        if not self._digest:
            said = _encode((self.spec, [_lasting(target.spec) for target in self.targets]))
            self._digest = blake2b(said, digest_size=16).digest()
        return self._digest

    def _watch(self) -> None:
        """Have measured at the targets what this route looks at."""
        for target in self.targets:
            if len(self.targets) > 1:
                target.watched = True
            paced = self.spec.hedge is not None or self.spec.strategy == "least_latency"
            if paced and target.health.paces is None:
                target.health.paces = (Pace(), Pace())

    def _of(
        self, rule: Rule, targets: dict[str, TargetEntry], tiers: list[int]
    ) -> tuple[Tier, ...]:
        """The tiers for calls that meet a rule: its targets, then the others unless `only`."""
        if rule.tier is not None:
            chosen = self.tiers[tiers.index(rule.tier)] if rule.tier in tiers else ()
        else:
            weights = {item.target: item.weight for item in self.spec.targets}
            known = [ident for ident in rule.targets if ident in targets]
            chosen = tuple((targets[ident], weights.get(ident) or 1) for ident in known)
        first = {target for target, _ in chosen}
        rest = [tuple(pair for pair in tier if pair[0] not in first) for tier in self.tiers]
        if rule.only:
            rest = []
        return tuple(tier for tier in (chosen, *rest) if tier)


class KeyEntry:
    """A key with its project's limits, and the purses of both, in the order of asking."""

    __slots__ = (
        "cache", "cache_scope", "gates", "limited", "models", "networks", "project", "purses",
        "shown", "shown_at", "spec", "splits",
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
        budgets = [(budget, name) for budget in spec.budgets]
        if project is not None:
            name = f"project {project.name!r}"
            gates.append(carried.gate(f"project:{project.id}", name, project.limits, share))
            budgets += [(budget, name) for budget in project.budgets]
        self.gates = tuple(gate for gate in gates if gate is not None)
        self.purses = tuple(carried.purse(budget, whose, share) for budget, whose in budgets)
        owners: list[tuple[str, str, Key | Project]]
        owners = [(f"key:{spec.id}", f"key {spec.name!r}", spec)]
        if project is not None:
            owners.append((f"project:{project.id}", f"project {project.name!r}", project))
        self.splits = tuple(
            carried.scope(ident, name, owner, share)
            for ident, name, owner in owners
            if splits(owner)
        )
        """Scopes in which users or models have limits of their own."""
        policy = spec.cache or (project.cache if project is not None else None)
        self.cache = policy if policy is not None and policy.ttl_s > 0 else None
        shared = policy is not None and policy.scope == "project"
        own = f"project:{spec.project}:{spec.environment}" if shared else f"key:{spec.id}"
        self.cache_scope = own.encode()
        self.limited = bool(self.gates or self.purses or self.splits)

    def gates_of(self, header: bytes | None, user: str, model: str) -> tuple[Gate, ...]:
        """The gates of one call: those of everybody, of its end user and of its model."""
        if header:
            user = header.decode("utf-8", "replace")
        more = [gate for scope in self.splits for gate in scope.gates(user, model)]
        return (*self.gates, *more)

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


def _lasting(spec: Target) -> Target:
    """Without credentials of a role, which change every few hours and mean the same."""
    if "role" not in spec.options:
        return spec
    kept = {name: said for name, said in spec.options.items() if name not in ROLE_PARTS}
    return structs.replace(spec, options=kept)


class View:
    """What a worker serves from: every table that a request needs, immutable."""

    __slots__ = (
        "experiments", "keys", "part", "prompts", "rails", "revision", "routes", "targets",
        "trial",
    )  # fmt: skip

    def __init__(
        self,
        revision: int,
        part: GatewayPart,
        carried: Carried,
        prompts: PromptTable = NO_PROMPTS,
        experiments: ExperimentTable | None = None,
    ) -> None:
        self.revision = revision
        self.experiments = experiments
        self.prompts = prompts
        self.trial = False
        self.rails: Callable[[Any], Any] | None = None
        """What looks at requests; None while no policy holds anywhere."""
        self.part = part
        self.targets = {
            spec.id: TargetEntry(spec, carried.health.setdefault(spec.id, Health()))
            for spec in part.targets
        }
        self.routes = {
            spec.name: RouteEntry(
                spec, self.targets, carried.traffic.setdefault(spec.name, Traffic())
            )
            for spec in part.routes
        }
        self._rest()
        projects = {project.name: project for project in part.projects}
        self.keys = {
            spec.hash: KeyEntry(spec, projects.get(spec.project), carried, part.rate_share)
            for spec in part.keys
        }

    def _rest(self) -> None:
        """Tell each target when to rest: the strictest that a route states of it."""
        stated: dict[str, Breaker] = {}
        for route in self.routes.values():
            breaker = route.spec.breaker
            if breaker is None:
                continue
            for target in route.targets:
                stated[target.id] = min(breaker, stated.get(target.id, breaker))
        for ident, target in self.targets.items():
            target.health.follow(stated.get(ident, ORDINARY))


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
            prompts = carried.prompts.read(snapshot.parts)
            split = carried.experiments.read(snapshot.parts)
            view = View(snapshot.revision, _decode_part(part.data), carried, prompts, split)
            view.trial = snapshot.trial
            if carried.rails is not None:
                view.rails = carried.rails.read(snapshot.parts)
            return view
    except msgspec.MsgspecError as bad:
        raise ConfigError(f"the snapshot cannot be read: {bad}") from None
    raise ConfigError(f"the snapshot has no part {SNAPSHOT_PART!r}")
