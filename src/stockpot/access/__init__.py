"""Who may do what: users, sessions, API tokens, roles and the audit log.

Knows people and their credentials; knows nothing of keys, providers, spans or prompts. Every other
capability declares the role that a route needs by `Depends(requires(role))` and writes what changed
into the audit log by `audit(...)`, in the transaction of the change.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.access.access import Access, open_access
    from stockpot.access.api import router
    from stockpot.access.audit_log import SYSTEM, audit, last_at, latest_change
    from stockpot.access.credentials import base62, digest
    from stockpot.access.described import describe_access
    from stockpot.access.guard import (
        CSRF_HEADER,
        SESSION_COOKIE,
        allows,
        declared,
        demand,
        demand_project,
        internal,
        no_project,
        public,
        requires,
    )
    from stockpot.access.models import (
        AccessRequest,
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
    from stockpot.access.store.people import user_by_email
    from stockpot.access.store.requests import (
        add_request,
        decide,
        list_requests,
        request_by_id,
    )
else:
    __getattr__ = lazily(
        __name__,
        {
            "access": "Access open_access",
            "api": "router",
            "audit_log": "SYSTEM audit last_at latest_change",
            "credentials": "base62 digest",
            "described": "describe_access",
            "guard": "CSRF_HEADER SESSION_COOKIE allows declared demand demand_project internal "
            "no_project public requires",
            "models": "AccessRequest ApiToken ApiTokenRequest AuditEntry NewApiToken NewPassword "
            "Principal Role SessionInfo SignIn SignInLink User",
            "store.people": "user_by_email",
            "store.requests": "add_request decide list_requests request_by_id",
        },
    )

__all__ = [
    "CSRF_HEADER",
    "SESSION_COOKIE",
    "SYSTEM",
    "Access",
    "AccessRequest",
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
    "add_request",
    "allows",
    "audit",
    "base62",
    "decide",
    "declared",
    "demand",
    "demand_project",
    "describe_access",
    "digest",
    "internal",
    "last_at",
    "latest_change",
    "list_requests",
    "no_project",
    "open_access",
    "public",
    "request_by_id",
    "requires",
    "router",
    "user_by_email",
]
