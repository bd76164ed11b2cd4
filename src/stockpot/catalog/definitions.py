"""What a file may define: providers, aliases, projects and virtual keys. Typed, without I/O.

The same shapes are the state of a revision. They hold no secret: a provider's and a key's are named
by reference, `env:NAME` or `file:/path`, or `stored` for one in the instance's encrypted store.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from stockpot.catalog.models import (
    ApartSpec,
    BudgetSpec,
    CacheSpec,
    Frozen,
    LimitSpec,
    Name,
    PayloadPolicy,
    RouteSettings,
    Text,
)
from stockpot.revisions import Content

SECTIONS = ("providers", "aliases", "projects", "keys")
STORED = "stored"
_NANO = 10**9


def _in_nano(value: Any) -> Any:
    """A budget as a person writes it: `usd` instead of nano-dollars."""
    if not isinstance(value, Mapping) or "usd" not in value:
        return value
    if "limit_nano" in value:
        raise ValueError("give usd or limit_nano, not both")
    rest = {name: given for name, given in value.items() if name != "usd"}
    usd = value["usd"]
    if isinstance(usd, bool) or not isinstance(usd, int | float | str | Decimal):
        raise ValueError("usd is a number of dollars")
    try:
        return {**rest, "limit_nano": int(Decimal(str(usd)) * _NANO)}
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError("usd is a number of dollars") from None


class BudgetDef(BudgetSpec):
    """A cap. In a file it is given in dollars, as `usd`."""

    usd: None = None
    """Never kept; named here so that a misspelt one is told."""

    def spec(self) -> BudgetSpec:
        """As it is kept."""
        return BudgetSpec(**self.model_dump(exclude={"usd"}))


Budget = Annotated[BudgetDef, BeforeValidator(_in_nano)]
_WHERE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\x00\r\n]+"
SecretRef = Annotated[str, Field(pattern=f"^(|{STORED}|{_WHERE})$", max_length=2000)]
KeySecretRef = Annotated[str, Field(pattern=f"^(|{_WHERE})$", max_length=2000)]


class ProviderDef(Frozen):
    """A connected upstream. Without `base_url` it is at the vendor's own address; without `models`
    it offers those that it lists itself."""

    vendor: Name
    base_url: str = Field("", max_length=2000)
    secret: SecretRef = ""
    models: tuple[Name, ...] = Field((), max_length=10_000)


class ProjectDef(Frozen):
    """A use case. Without `payloads` it takes the instance's setting when it is made."""

    owner: Text = ""
    description: Text = ""
    archetype: Literal["prompt", "rag", "fine-tune", "agent"] = "prompt"
    domain: Text = ""
    stage: Literal["crawl", "walk", "run"] = "crawl"
    risk_tier: Literal["low", "medium", "high"] = "low"
    target_metric: Text = ""
    limits: LimitSpec = LimitSpec()
    budget: Budget | None = None
    payloads: PayloadPolicy | None = None
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None


class KeyDef(Frozen):
    """A virtual key's policy. `state` is a pointer: `stockpot keys disable` moves it at run time.

    With `secret` the key has the secret that the reference names; without, one is made when the
    key is, and shown once.
    """

    project: Name = "default"
    environment: Name = "dev"
    state: Literal["active", "disabled"] = "active"
    expires_ms: int = Field(0, ge=0, lt=10**14)
    models: tuple[Name, ...] = Field((), max_length=1000)
    networks: tuple[Name, ...] = Field((), max_length=1000)
    limits: LimitSpec = LimitSpec()
    budget: Budget | None = None
    payloads: PayloadPolicy | None = None
    cache: CacheSpec | None = None
    apart: ApartSpec | None = None
    on_disconnect: Literal["cancel", "drain", "partial"] = "cancel"
    on_ledger_full: Literal["refuse", "pass"] = "refuse"
    secret: KeySecretRef = ""
    expires: None = None
    """In a file, the time at which `expires_ms` is."""

    @model_validator(mode="before")
    @classmethod
    def _in_ms(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("expires"), datetime):
            return value
        rest = {name: given for name, given in value.items() if name != "expires"}
        at = value["expires"]
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return {**rest, "expires_ms": round(at.timestamp() * 1000)}


ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
ProjectName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
AliasName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}$")]
KeyName = Annotated[str, Field(min_length=1, max_length=100)]


class Document(Frozen):
    """The sections of a file. One that is not there says nothing about its entries."""

    providers: dict[ProviderName, ProviderDef] | None = None
    aliases: dict[AliasName, RouteSettings] | None = None
    projects: dict[ProjectName, ProjectDef] | None = None
    keys: dict[KeyName, KeyDef] | None = None


def content_of(document: Document) -> Content:
    """The document as a state; a section that it says nothing about is not in there."""
    return document.model_dump(mode="json", exclude_defaults=True)


def document_of(content: Content) -> Document:
    """A state, typed. States that were written by older versions are valid too."""
    return Document.model_validate(content)


def for_people(content: Content) -> Content:
    """A state as a file says it: dollars, and times that can be read."""
    return {
        section: {name: _friendly(section, fields) for name, fields in entries.items()}
        for section, entries in content.items()
    }


def _friendly(section: str, fields: dict[str, Any]) -> dict[str, Any]:
    shown = dict(fields)
    if section in ("projects", "keys") and (budget := shown.get("budget")):
        rest = {name: value for name, value in budget.items() if name != "limit_nano"}
        shown["budget"] = {**_dollars(budget["limit_nano"]), **rest}
    if section == "keys" and (at := shown.pop("expires_ms", None)):
        shown["expires"] = datetime.fromtimestamp(at // 1000, UTC).replace(
            microsecond=at % 1000 * 1000
        )
    return shown


def _dollars(nano: int) -> dict[str, Any]:
    """Dollars where they say it exactly."""
    if nano % _NANO == 0:
        return {"usd": nano // _NANO}
    usd = nano / _NANO
    exact = int(Decimal(str(usd)) * _NANO) == nano
    return {"usd": usd} if exact else {"limit_nano": nano}
