"""Taking a model from a hub that speaks the Hugging Face protocol. Knows its three addresses:

    GET  /api/models/{repo}/revision/{revision}    commit and files
    HEAD /{repo}/resolve/{commit}/{file}           digest and size (X-Linked-Etag, X-Linked-Size)
    GET  /{repo}/resolve/{commit}/{file}           the bytes, often by a redirect, with Range

A moving revision is pinned to its commit first. A broken download goes on where it stopped: the
part file is named after the digest, so that it can only continue the same file.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import msgspec

from stockpot.core.errors import Forbidden, InvalidInput, NotFound, Unavailable, did_you_mean
from stockpot.engines.models import HubSource, Progress, Report
from stockpot.engines.sources.base import Fetched
from stockpot.engines.store import DigestMismatch

_ATTEMPTS: Final = 5
_BACKOFF_S: Final = 0.5
_CHUNK: Final = 1 << 20
_AIR_GAP: Final = "or bring the file: stockpot models pull FILE.gguf"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_GIT_BLOB: Final = re.compile(r"[0-9a-f]{40}")


class _Listed(msgspec.Struct):
    rfilename: str


class _Repo(msgspec.Struct):
    sha: str
    siblings: list[_Listed]


class _Head(msgspec.Struct):
    etag: str
    size: int


class _BrokenOff(Exception):
    """The connection ended before the file did."""


def fetch(source: HubSource, scratch: Path, *, model: str, url: str, report: Report) -> Fetched:
    """The file of a repository, at the commit that its revision points to now."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise Unavailable(f"HF_HUB_OFFLINE is set; {source} was not asked for.", hint=_AIR_GAP)
    token = os.environ.get("HF_TOKEN", "").strip()
    headers = {"Accept-Encoding": "identity"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    timeout = httpx.Timeout(30.0, connect=10.0)
    with httpx.Client(base_url=url, headers=headers, timeout=timeout) as client:
        repo = _repo(client, source)
        file = _choose(source, [entry.rfilename for entry in repo.siblings])
        address = f"/{source.repo}/resolve/{repo.sha}/{quote(file)}"
        head = _head(client, address, source)
        part = scratch / f"{head.etag}.part"
        for stale in scratch.glob("*.part"):
            if stale != part:
                stale.unlink()
        _download(client, address, part, head, model, report)
    sha256 = head.etag if _SHA256.fullmatch(head.etag) else ""
    if _GIT_BLOB.fullmatch(head.etag) and _git_blob(part) != head.etag:
        part.unlink()
        raise DigestMismatch(f"{file!r} of {source} arrived damaged.", hint="pull it again")
    origin = f"hub:{source.repo}@{repo.sha}:{file}"
    return Fetched(part, file.rpartition("/")[2], origin, sha256)


def _repo(client: httpx.Client, source: HubSource) -> _Repo:
    path = f"/api/models/{source.repo}/revision/{quote(source.revision, safe='')}"
    answer = _ask(client, "GET", path, source)
    try:
        return msgspec.json.decode(answer.content, type=_Repo)
    except msgspec.DecodeError as bad:
        raise Unavailable(
            f"{client.base_url} does not answer like a model hub: {bad}", hint="check hub_url"
        ) from None


def _choose(source: HubSource, files: list[str]) -> str:
    models = sorted(name for name in files if name.endswith(".gguf"))
    if source.file in files:
        return source.file
    if not models:
        raise NotFound(
            f"{source.repo!r} holds no GGUF file.", hint="look for a repository named ...-GGUF"
        )
    if source.file:
        near = did_you_mean(source.file, models) or f" It has {', '.join(models)}."
        raise NotFound(f"{source.repo!r} has no file {source.file!r}.{near}")
    if len(models) > 1:
        raise InvalidInput(
            f"{source.repo!r} holds {len(models)} GGUF files: {', '.join(models)}.",
            hint=f"hub:{source.repo}:{models[0]}",
        )
    return models[0]


def _head(client: httpx.Client, address: str, source: HubSource) -> _Head:
    answer = _ask(client, "HEAD", address, source)
    etag = answer.headers.get("x-linked-etag") or answer.headers.get("etag", "")
    etag = etag.removeprefix("W/").strip('"')
    size = answer.headers.get("x-linked-size") or answer.headers.get("content-length", "")
    if not re.fullmatch(r"[\w.-]{1,128}", etag) or not size.isdecimal():
        raise Unavailable(f"{client.base_url} gives no digest or size for {source}.")
    return _Head(etag, int(size))


def _ask(client: httpx.Client, method: str, path: str, source: HubSource) -> httpx.Response:
    """One small request. Redirects on the hub itself are followed (renamed repositories), one that
    leads elsewhere is the answer."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_BACKOFF_S * 2 ** (attempt - 1))
        try:
            answer = client.request(method, path)
            while answer.next_request and _at_home(client, answer.next_request):
                answer = client.send(answer.next_request)
        except httpx.TransportError as bad:
            problem = f"{type(bad).__name__}: {bad}"
            if isinstance(bad, (httpx.ConnectError, httpx.ConnectTimeout)):
                break  # no network is the common case: say so at once
            continue
        if answer.status_code != 429 and answer.status_code < 500:
            return _checked(answer, source)
        problem = f"HTTP {answer.status_code}"
    raise Unavailable(
        f"the model hub at {client.base_url} cannot be reached ({problem}).",
        hint=f"check the network, or {_AIR_GAP.removeprefix('or ')}",
    )


def _at_home(client: httpx.Client, request: httpx.Request) -> bool:
    return request.url.netloc == client.base_url.netloc


def _checked(answer: httpx.Response, source: HubSource) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    reason = answer.headers.get("x-error-message") or f"HTTP {answer.status_code}"
    if answer.status_code in (401, 403):
        raise Forbidden(
            f"the hub does not give {source} away: {reason}",
            hint="check the name; for a gated repository accept its terms and set HF_TOKEN",
        )
    raise NotFound(f"the hub has no {source}: {reason}", hint="hub:OWNER/REPO[@REVISION]:FILE.gguf")


# --- the bytes ----------------------------------------------------------------------------------


def _download(
    client: httpx.Client, address: str, part: Path, head: _Head, model: str, report: Report
) -> None:
    failures = 0
    while (have := _length(part)) != head.size:
        try:
            _append(client, address, part, head, model, report)
        except (httpx.TransportError, _BrokenOff) as bad:
            failures = 1 if _length(part) > have else failures + 1  # progress earns new patience
            if failures >= _ATTEMPTS:
                raise Unavailable(
                    f"the download of {model!r} broke off at {_length(part)} of {head.size} bytes: "
                    f"{type(bad).__name__}: {bad}",
                    hint="run the same command again: it goes on from there",
                ) from None
            time.sleep(_BACKOFF_S * 2 ** (failures - 1))


def _append(
    client: httpx.Client, address: str, part: Path, head: _Head, model: str, report: Report
) -> None:
    have = _length(part)
    if have > head.size:
        part.unlink()
        have = 0
    wanted = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", address, headers=wanted, follow_redirects=True) as answer:
        if answer.status_code not in (200, 206):
            raise _BrokenOff(f"HTTP {answer.status_code}")
        resumed = answer.headers.get("content-range", "").startswith(f"bytes {have}-")
        if answer.status_code == 200 or not resumed:
            have = 0  # the server starts over, and so do we
        with part.open("ab" if have else "wb") as out:
            for (
                chunk
            ) in answer.iter_raw():  # a chunk size would hold back, and lose, the last bytes
                out.write(chunk)
                have += len(chunk)
                report(Progress(model, "download", have, head.size))
    if have < head.size:
        raise _BrokenOff("the answer was too short")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _git_blob(path: Path) -> str:
    """The digest by which git, and so the hub, names a file that is not in large file storage."""
    sha = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()
