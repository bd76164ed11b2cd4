"""Credentials of the AWS role that a container or an instance has, kept fresh.

Asked for by the variables that AWS's own tools read, and only where a provider names one of them:

    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI   ECS: a path at 169.254.170.2
    AWS_CONTAINER_CREDENTIALS_FULL_URI       EKS Pod Identity, Greengrass: a whole address
    AWS_EC2_METADATA_SERVICE_ENDPOINT        EC2: the instance metadata service, by IMDSv2 alone

Only the addresses that AWS documents for this, and loopback, are ever asked, by number, without a
proxy and without following anywhere. Knows nothing of targets; tells no secret in an error. The
control plane asks for all; a worker only for what is about to end, when nobody else did.

Sources: AWS SDKs and Tools Reference Guide, "Container credential provider" and "IMDS credential
provider"; Amazon EC2 User Guide, "Use IMDSv2" (read November 2026).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from stockpot.core.errors import InvalidInput

_log = logging.getLogger(__name__)

RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
INSTANCE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
VARIABLES = frozenset((RELATIVE, FULL, INSTANCE))
PARTS = frozenset(
    ("access_key_id", "secret_access_key", "session_token", "role_ends"),
)
"""What differs in a target's options from one credential of a role to the next."""

_CONTAINER = frozenset(map(ip_address, ("169.254.170.2", "169.254.170.23", "fd00:ec2::23")))
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254")))
_ROLE = "/latest/meta-data/iam/security-credentials/"
_TOKEN_S = 21600
OFTEN_S = 600.0
"""A credential is asked for anew after this: AWS renews it hours before its end, and what workers
hold when the control plane goes away should last as long as it can."""
EARLY_S = 900.0
"""So long before its end it is asked for again and again."""
AGAIN_S = 30.0
"""An attempt that failed, or brought nothing newer before the end, is repeated after this."""
LASTS_S = 3600.0
"""A credential that does not say when it ends."""
_MOST_BYTES = 65_536


class RoleFault(InvalidInput):
    """The role's credentials cannot be had."""


class _Heard(NamedTuple):
    """What one of AWS's services said."""

    status: int
    body: bytes


class _Held(NamedTuple):
    """The secret as providers take it, and until when (seconds since 1970)."""

    secret: str
    until: float


class AwsRoles:
    """What was fetched, by variable. `clock` tells the seconds since 1970."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        timeout_s: float = 1.0,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._timeout_s = timeout_s
        self._held: dict[str, _Held] = {}
        self._faults: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._busy = asyncio.Lock()
        self.version = 0
        """Differs when what is held differs."""

    def secret(self, variable: str) -> str:
        """The credential as a JSON object of a target's options: beside its parts `role`, the
        variable, and `role_ends`, in seconds since 1970. Raises RoleFault; asks nobody."""
        held = self._held.get(variable)
        if held is None or held.until <= self._clock():
            fault = self._faults.get(variable, "it was not asked for yet")
            raise RoleFault(f"no credentials of the role by {variable!r}: {fault}")
        return held.secret

    async def want(self, variables: frozenset[str]) -> None:
        """Have these, and keep them fresh from here on."""
        for variable in variables & VARIABLES:
            self._asked.setdefault(variable, 0.0)
        await self.refresh()

    async def refresh(self) -> None:
        """Ask for what is wanted and missing, or was not asked for lately, or ends soon."""
        async with self._busy:
            for variable in tuple(self._asked):
                if self._due(variable):
                    await self._ask(variable)

    def _due(self, variable: str) -> bool:
        now, held = self._clock(), self._held.get(variable)
        stale = held is None or held.until - now <= EARLY_S
        again = AGAIN_S if stale or variable in self._faults else OFTEN_S
        return now - self._asked[variable] >= again

    async def _ask(self, variable: str) -> None:
        self._asked[variable] = self._clock()
        try:
            async with asyncio.timeout(3 * self._timeout_s):
                found = await self._fetched(variable)
        except (RoleFault, OSError, ValueError, EOFError) as wrong:
            fault = wrong.message if isinstance(wrong, RoleFault) else type(wrong).__name__
            self._faults[variable] = fault
            _log.warning("no credentials of the role by %s: %s", variable, fault)
            return
        self._faults.pop(variable, None)
        if found != self._held.get(variable):
            self._held[variable] = found
            self.version += 1

    async def _fetched(self, variable: str) -> _Held:
        said = self._environ.get(variable, "").strip()
        if not said:
            raise RoleFault("the variable is not set for this process")
        if variable == INSTANCE:
            return self._read(variable, await self._of_instance(said))
        return self._read(variable, await self._of_container(variable, said))

    async def _of_container(self, variable: str, said: str) -> bytes:
        if variable == RELATIVE:
            if not said.startswith("/") or said.startswith("//"):
                raise RoleFault("it is no path")
            said = f"http://169.254.170.2{said}"
        token = await asyncio.to_thread(self._token)
        headers = {"accept": "application/json"} | ({"authorization": token} if token else {})
        return await self._got("GET", checked(said, _CONTAINER), headers)

    async def _of_instance(self, said: str) -> bytes:
        if self._environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            raise RoleFault("AWS_EC2_METADATA_DISABLED forbids it")
        base = checked(said, _METADATA).rstrip("/")
        lasting = {"x-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_S)}
        token = _line(await self._got("PUT", f"{base}/latest/api/token", lasting))
        headers = {"x-aws-ec2-metadata-token": token}
        role = _line(await self._got("GET", base + _ROLE, headers))
        if not role:
            raise RoleFault("the instance has no role")
        return await self._got("GET", base + _ROLE + quote(role, safe="+=,.@_-"), headers)

    def _token(self) -> str:
        """Read anew each time: the platform changes it."""
        file = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
        token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        if file:
            try:
                token = Path(file).read_text("ascii").strip()
            except (OSError, UnicodeError):
                raise RoleFault("the file of its authorization token cannot be read") from None
        if token and not (token.isascii() and token.isprintable()):
            raise RoleFault("its authorization token could not be a header's value")
        return token

    async def _got(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        status, body = await asyncio.to_thread(_asked, method, url, headers, self._timeout_s)
        if status != 200:
            raise RoleFault(f"the answer was {status}")
        if len(body) > _MOST_BYTES:
            raise RoleFault("the answer is too long")
        return body

    def _read(self, variable: str, body: bytes) -> _Held:
        try:
            said: Any = json.loads(body)
            if said.get("Code", "Success") != "Success":
                raise RoleFault("the answer says that there are none")
            made = {
                "access_key_id": said["AccessKeyId"],
                "secret_access_key": said["SecretAccessKey"],
                "session_token": said.get("Token") or "",
                "default_region": self._environ.get("AWS_REGION", "")
                or self._environ.get("AWS_DEFAULT_REGION", ""),
            }
            ends = said.get("Expiration")
            until = datetime.fromisoformat(ends).timestamp() if ends else self._clock() + LASTS_S
            made |= {"role": variable, "role_ends": str(int(until))}
        except (ValueError, KeyError, TypeError, AttributeError):
            # What was wrong is not repeated: the text holds secrets.
            raise RoleFault("the answer is no credential") from None
        secret = json.dumps({part: value for part, value in made.items() if value})
        if not made["access_key_id"] or not made["secret_access_key"] or until <= self._clock():
            raise RoleFault("the answer is no credential, or one that has ended")
        return _Held(secret, until)


def checked(url: str, known: frozenset[Any]) -> str:
    """The address, when it is one of the known or loopback, by number. Raises RoleFault."""
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        address, _ = ip_address(host), parts.port
    except ValueError:
        raise RoleFault("its address is no number of a host") from None
    plain = parts.scheme in ("http", "https") and parts.username is None and not parts.fragment
    if not plain or not (address in known or address.is_loopback):
        raise RoleFault("its address is none that AWS documents for this, nor loopback")
    return url


def _asked(method: str, url: str, headers: Mapping[str, str], timeout_s: float) -> _Heard:
    """One question, in a thread: such hosts are asked rarely, and never by a proxy."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        return _Heard(answer.status, answer.read(_MOST_BYTES + 1))
    except HTTPException as bad:
        raise RoleFault(f"its answer was no HTTP: {type(bad).__name__}") from None
    finally:
        connection.close()


def _line(body: bytes) -> str:
    try:
        text = body.decode("ascii").strip().partition("\n")[0].strip()
    except UnicodeDecodeError:
        raise RoleFault("the answer is no line of text") from None
    return text
