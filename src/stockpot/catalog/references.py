"""Secrets by reference: `env:NAME` and `file:/path`, looked up where the control plane runs.

`env:AWS_ACCESS_KEY_ID` is AWS's credential of several variables, as AWS's own tools read them; the
variables of AWS roles (`providers`) stand for the credentials of a role, which must be `prepared`
first.
Knows how to look and what a secret looks like; keeps none, and tells none in an error.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from stockpot.core.errors import InvalidInput
from stockpot.providers import ROLE_VARIABLES, AwsRoles, RoleFault

_MOST_BYTES = 10_000
AWS = "AWS_ACCESS_KEY_ID"
_AWS_PARTS = (
    ("access_key_id", (AWS,)),
    ("secret_access_key", ("AWS_SECRET_ACCESS_KEY",)),
    ("session_token", ("AWS_SESSION_TOKEN",)),
    ("default_region", ("AWS_REGION", "AWS_DEFAULT_REGION")),
)
"""Parts of the secret, and the variables that hold them (the AWS SDKs' reference guide). The region
counts where no address says another one."""
ROLES = AwsRoles()
"""Those of this process's environment."""


class Unresolved(InvalidInput):
    """A reference that leads to no secret here."""


async def prepared(references: Iterable[str]) -> None:
    """Fetch what of these is not looked up but asked for: the credentials of AWS roles."""
    named = (reference.partition(":") for reference in references)
    variables = frozenset(name for kind, _, name in named if kind == "env")
    if not variables.isdisjoint(ROLE_VARIABLES):
        await ROLES.want(variables)


def resolve_secret(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret that a reference names. Raises Unresolved without telling what was found."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        found = secret_in(where, environ)
        missing = f"the variable {where!r} is not set where the control plane runs"
    elif kind == "file":
        found, missing = _content(where), f"the file {where!r} cannot be read by the control plane"
    else:
        raise Unresolved(f"{reference!r} is no reference: env:NAME or file:/path")
    if not found.strip():
        raise Unresolved(missing)
    try:
        return clean_secret(found)
    except InvalidInput as wrong:
        raise Unresolved(f"what {reference!r} names is no secret: {wrong.message}") from None


def secret_in(variable: str, environ: Mapping[str, str] = os.environ) -> str:
    """What a variable holds, '' when it is not set. AWS's key id stands for all that goes with it,
    as a JSON object, and so does a role; raises Unresolved when half of it is missing."""
    if variable in ROLE_VARIABLES:
        try:
            return ROLES.secret(variable)
        except RoleFault as fault:
            raise Unresolved(fault.message) from None
    found = environ.get(variable, "").strip()
    if variable != AWS or not found:
        return found
    held = {
        part: next((value for name in names if (value := environ.get(name, "").strip())), "")
        for part, names in _AWS_PARTS
    }
    if not held["secret_access_key"]:
        raise Unresolved(f"the variable {AWS!r} is set, but 'AWS_SECRET_ACCESS_KEY' is not")
    return json.dumps({part: value for part, value in held.items() if value})


def _content(where: str) -> str:
    try:
        with Path(where).open("rb") as file:
            return file.read(_MOST_BYTES + 1)[:_MOST_BYTES].decode("utf-8", "replace")
    except OSError:
        return ""


def file_mark(reference: str) -> object:
    """Differs when the file that a reference names was written anew, or put in another's place;
    None while nothing is in it."""
    try:
        seen = os.stat(reference.partition(":")[2])
    except (OSError, ValueError):
        return None
    return (seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size) if seen.st_size else None


def clean_secret(secret: str) -> str:
    """A secret as it is kept: one line, as which a JSON object of many lines (the key file of a
    service account) is written. Raises InvalidInput for what could not be a header's value."""
    secret = secret.strip()
    if secret.startswith("{"):
        with contextlib.suppress(ValueError):
            secret = json.dumps(json.loads(secret))
    if not secret or not secret.isascii() or not secret.isprintable():
        raise InvalidInput("a secret is one line of printable ASCII characters")
    return secret
