"""The routes of access: sign-in, sessions, tokens, people, projects' members, the audit log."""

from fastapi import APIRouter

from stockpot.access.access import Access
from stockpot.access.api.audit import audit_routes
from stockpot.access.api.people import people_routes
from stockpot.access.api.sessions import session_routes
from stockpot.access.api.sso import sso_routes
from stockpot.access.api.tokens import token_routes


def router(access: Access) -> APIRouter:
    """All routes of access."""
    routes = APIRouter(prefix="/api/v1", tags=["access"])
    session_routes(routes, access)
    sso_routes(routes, access.sso)
    token_routes(routes, access.tokens)
    people_routes(routes, access)
    audit_routes(routes, access.audit)
    return routes
