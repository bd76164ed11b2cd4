"""Who may do what: users, sessions, API tokens, roles and the audit log.

Knows people and their credentials; knows nothing of keys, providers, spans or prompts. Every other
capability declares the role that a route needs by `Depends(requires(role))` and writes what changed
into the audit log by `audit(...)`, in the transaction of the change.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.access.api import router
    from stockpot.access.audit_log import SYSTEM, audit, latest_change
    from stockpot.access.credentials import base62, digest
    from stockpot.access.guard import (
        CSRF_HEADER,
        SESSION_COOKIE,
        allows,
        declared,
        internal,
        public,
        requires,
    )
    from stockpot.access.models import (
        ApiToken,
        ApiTokenRequest,
        AuditEntry,
        NewApiToken,
        NewPassword,
        Principal,
        Role,
        SessionInfo,
        SignIn,
        SignInLink,
        User,
    )
    from stockpot.access.service import AccessService
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "audit_log": "SYSTEM audit latest_change",
            "credentials": "base62 digest",
            "guard": "CSRF_HEADER SESSION_COOKIE allows declared internal public requires",
            "models": "ApiToken ApiTokenRequest AuditEntry NewApiToken NewPassword Principal Role "
            "SessionInfo SignIn SignInLink User",
            "service": "AccessService",
        },
    )

__all__ = [
    "CSRF_HEADER",
    "SESSION_COOKIE",
    "SYSTEM",
    "AccessService",
    "ApiToken",
    "ApiTokenRequest",
    "AuditEntry",
    "NewApiToken",
    "NewPassword",
    "Principal",
    "Role",
    "SessionInfo",
    "SignIn",
    "SignInLink",
    "User",
    "allows",
    "audit",
    "base62",
    "declared",
    "digest",
    "internal",
    "latest_change",
    "public",
    "requires",
    "router",
]
