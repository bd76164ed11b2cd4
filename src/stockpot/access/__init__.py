"""Who may do what: users, sessions, API tokens, roles and the audit log.

Knows people and their credentials; knows nothing of keys, providers, spans or prompts. Every other
capability declares the role that a route needs by `Depends(requires(role))` and writes what changed
through the audit log.
"""

from stockpot.access.guard import CSRF_HEADER, SESSION_COOKIE, allows, internal, public, requires
from stockpot.access.models import (
    ApiToken,
    AuditEntry,
    NewApiToken,
    Principal,
    Role,
    SessionInfo,
    User,
)

__all__ = [
    "CSRF_HEADER",
    "SESSION_COOKIE",
    "ApiToken",
    "AuditEntry",
    "NewApiToken",
    "Principal",
    "Role",
    "SessionInfo",
    "User",
    "allows",
    "internal",
    "public",
    "requires",
]
