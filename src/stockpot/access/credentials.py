"""Making and checking secrets: passwords, tokens, sessions. Knows hashes; knows no table.

A secret of ours has 256 random bits, so its SHA-256 is safe at rest; a password is a person's, so
it gets Argon2id (RFC 9106, section 4, second recommended option: 64 MiB, 3 passes).
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_BASE62 = string.digits + string.ascii_letters
_argon2 = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)

TOKEN_PREFIX = "spt_"  # noqa: S105 - it marks tokens and is none


def base62(length: int) -> str:
    """Random characters; 43 of them carry 256 bits."""
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_of(session: str) -> str:
    """What a page that can read the API, and no other, learns about its session."""
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def hash_password(password: str) -> str:
    """About 50 ms of one core, and 64 MiB."""
    return _argon2.hash(password)


@functools.cache
def _nobody() -> str:
    return _argon2.hash(secrets.token_hex(16))


def password_matches(password: str, hashed: str | None) -> bool:
    """Takes as long for an unknown user (None) as for a known one."""
    try:
        _argon2.verify(hashed or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None
