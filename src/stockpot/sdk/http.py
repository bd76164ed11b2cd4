"""One HTTP request to the server, out of a thread that may wait. Knows no path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Away(Exception):
    """No answer: the server is not there, or does not speak in time."""


class Answer(NamedTuple):
    """Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout_s: float = 10.0,
) -> Answer:
    """GET, or POST with a body. Heeds the proxies of the environment. Raises Away."""
    # Loading them takes longer than all the rest of the package, and is the thread's to bear.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        raise Away(f"{url!r} is no address that begins with http:// or https://")
    request = Request(url, body, dict(headers))  # noqa: S310 - looked at above
    try:
        with urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return Answer(answer.status, _lower(answer.headers.items()), answer.read())
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, _lower(refused.headers.items()), _rest(refused))
    except (OSError, HTTPException, ValueError) as away:
        raise Away(str(away)) from None


def _lower(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs}


def _rest(refused: object) -> bytes:
    try:
        return bytes(refused.read(65536))  # type: ignore[attr-defined]
    except Exception:  # a refusal without readable words is still one
        return b""
