"""Completing what a user says of a provider: its address checked, its secret kept, its models.

Knows the vendor's row, the instance's seal and one question to the provider; writes nothing.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from cryptography.fernet import InvalidToken

from stockpot.catalog import addresses
from stockpot.catalog.discover import Listing, listed_models
from stockpot.catalog.models import ProviderSettings
from stockpot.catalog.offers import Offer, offer_of
from stockpot.catalog.references import Unresolved, clean_secret, prepared, resolve_secret
from stockpot.catalog.store.providers import ProviderRow
from stockpot.core.config import Settings
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.instance import Instance
from stockpot.providers import Vendor, vendors

_LISTED_AT_MOST = 200


class Connecting(NamedTuple):
    """What completing needs of its instance."""

    instance: Instance
    settings: Settings
    resolve: addresses.Resolve

    async def completed(
        self, name: str, wanted: ProviderSettings, old: ProviderRow | None
    ) -> ProviderRow:
        """The row of a provider. A secret that is not given again is kept while vendor and address
        stay. Raises InvalidInput when the provider does not accept the secret."""
        vendor = vendor_named(wanted.vendor)
        row = self.kept(name, wanted, old)._replace(
            base_url=await self.checked(vendor, wanted.base_url)
        )
        await prepared((row.secret_ref,))
        secret = self._secret(row)
        if not secret and vendor.needs_secret and not vendor.local:
            raise InvalidInput(
                f"{vendor.title} needs a secret",
                hint="it is not kept from before when the vendor or the base URL changes",
            )
        offer = offer_of(vendor, name=name, base_url=row.base_url, origin="console", secret=secret)
        listing = await listed_models(offer)
        if listing.refused:
            raise InvalidInput(fault_of(offer, listing), hint="check that it was copied whole")
        # The table's own models are a choice among many; another address has others.
        known = vendor.models if row.base_url == vendor.base_url else ()
        return row._replace(listed=known or listing.models[:_LISTED_AT_MOST])

    async def checked(self, vendor: Vendor, base_url: str | None) -> str:
        """The address, when the gateway may call it."""
        if not base_url or base_url.rstrip("/") == vendor.base_url:
            return vendor.base_url
        return await addresses.checked_base_url(
            base_url, private=self.settings.private_upstreams, resolve=self.resolve
        )

    def kept(self, name: str, wanted: ProviderSettings, old: ProviderRow | None) -> ProviderRow:
        """The row as far as it can be told without asking anybody."""
        vendor = vendor_named(wanted.vendor)
        base_url = (wanted.base_url or vendor.base_url).rstrip("/")
        same = old if old and old.vendor == vendor.name and old.base_url == base_url else None
        sealed, hint = (same.sealed_secret, same.secret_hint) if same else (None, "")
        reference = same.secret_ref if same else ""
        if wanted.secret is not None:
            secret = clean_secret(wanted.secret)
            sealed, hint = self.instance.seal(secret.encode()), secret[-4:]
            reference = ""
        elif wanted.secret_ref:
            sealed, hint, reference = None, wanted.secret_ref, wanted.secret_ref
        created = old.created_ms if old else time.time_ns() // 1_000_000
        return ProviderRow(
            name=name,
            vendor=vendor.name,
            base_url=base_url,
            sealed_secret=sealed,
            secret_hint=hint[:100],
            models=wanted.models,
            created_ms=created,
            secret_ref=reference,
            listed=same.listed if same else (),
        )

    def _secret(self, row: ProviderRow) -> str:
        try:
            if row.secret_ref:
                return resolve_secret(row.secret_ref)
            return self.instance.unseal(row.sealed_secret).decode() if row.sealed_secret else ""
        except InvalidToken:
            raise Unresolved(f"the secret of the provider {row.name!r} cannot be opened") from None


def vendor_named(name: str) -> Vendor:
    """A row of the vendors' table, or NotFound with the nearest one."""
    for vendor in vendors():
        if vendor.name == name:
            return vendor
    known = [vendor.name for vendor in vendors()]
    raise NotFound(
        f"no vendor {name!r}.{did_you_mean(name, known)}", hint=f"one of {', '.join(known)}"
    )


def fault_of(offer: Offer, listing: Listing) -> str:
    """Why a provider did not tell its models."""
    where = f"{offer.base_url}/models"
    if listing.refused:
        return f"{where} answered {listing.status}: the secret is not accepted"
    if listing.status not in (0, 200):
        return f"{where} answered {listing.status}"
    return f"{where} does not answer with a list of models"
