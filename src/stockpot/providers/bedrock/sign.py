"""AWS Signature Version 4 of one POST. Knows hashes and canonical forms; knows no service's bodies.

Source: AWS General Reference, "Signing AWS API requests"; checked against botocore's SigV4Auth.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """Who signs, and for which region."""

    access_key: str
    secret_key: str
    region: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Credentials({self.access_key!r}, {self.region!r})"


def signed(
    who: Credentials, service: str, host: str, path: str, content_type: str, body: bytes, at: float
) -> tuple[tuple[str, str], ...]:
    """The headers to add. `path` is as it goes over the wire, encoded, and without a query; `host`
    and `content_type` must be sent as they are signed. `at` is in seconds since 1970."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    headers = [("content-type", content_type), ("host", host), ("x-amz-date", stamp)]
    if who.session_token:
        headers.append(("x-amz-security-token", who.session_token))
    names = ";".join(name for name, _ in headers)
    canonical = "\n".join((
        "POST",
        quote(path, safe="/~"),  # encoded once more, as all services but S3 want it
        "",
        *(f"{name}:{' '.join(value.split())}" for name, value in headers),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    ))  # fmt: skip
    scope = f"{stamp[:8]}/{who.region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
    key = _key(who.secret_key, stamp[:8], who.region, service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    proof = (
        f"{_ALGORITHM} Credential={who.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return (*headers[2:], ("authorization", proof))


@lru_cache(maxsize=64)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of a day, a region and a service."""
    key = b"AWS4" + secret.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
