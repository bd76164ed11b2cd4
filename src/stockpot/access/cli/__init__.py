"""The commands of access. Knows the API's paths; every command works with or without `up`."""

from stockpot.access.cli.audit import audit
from stockpot.access.cli.people import access, teams, users
from stockpot.access.cli.tokens import bootstrap_link, sign_in, tokens

__all__ = ["access", "audit", "bootstrap_link", "sign_in", "teams", "tokens", "users"]
