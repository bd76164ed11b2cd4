"""The services of access, wired. The composition root gives the store and the names of projects."""

from __future__ import annotations

from typing import NamedTuple

from stockpot.access.service.audit import AuditService
from stockpot.access.service.gate import GateService
from stockpot.access.service.people import PeopleService, Projects
from stockpot.access.service.sign_in import SignInService
from stockpot.access.service.sso import SsoService
from stockpot.access.service.tokens import TokenService
from stockpot.core.config import Settings
from stockpot.core.db import Database
from stockpot.core.instance import Instance
from stockpot.core.urls import public_url


class Access(NamedTuple):
    """Everything that access can do."""

    gate: GateService
    sign_in: SignInService
    sso: SsoService
    tokens: TokenService
    people: PeopleService
    audit: AuditService


def open_access(db: Database, instance: Instance, settings: Settings, projects: Projects) -> Access:
    """Wire the services of one instance."""
    gate = GateService(db, instance)
    sign_in = SignInService(db, gate, passwords=settings.password_sign_in)
    return Access(
        gate=gate,
        sign_in=sign_in,
        sso=SsoService(db, instance, settings, gate, sign_in),
        tokens=TokenService(db, gate),
        people=PeopleService(db, gate, projects, f"{public_url(settings)}/sign-in"),
        audit=AuditService(db),
    )
