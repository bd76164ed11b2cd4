"""One suite for every store of blobs: a folder, and S3 as `moto` serves it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockpot.core.blobs import Blobs, Damaged, open_blobs
from stockpot.core.errors import ConfigError, NotFound, Unavailable
from tests.s3 import BUCKET, s3_store

pytestmark = pytest.mark.integration

PART = 9 << 20
"""More than goes up in one part."""


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    with s3_store() as environ:
        yield environ


@pytest.fixture
def bucket(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in store.items():
        monkeypatch.setenv(name, value)
    return BUCKET


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return (tmp_path / "a folder").as_uri()
    return f"s3://{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture
def blobs(url: str) -> Blobs:
    return open_blobs(url)


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [0, 5, PART])
def test_what_was_put_is_fetched_by_its_digest(blobs: Blobs, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    digest = blobs.put(file_of(tmp_path, content))
    assert digest == hashlib.sha256(content).hexdigest()
    assert blobs.has(digest)
    blobs.fetch(digest, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == content


def test_the_same_content_is_kept_once(blobs: Blobs, tmp_path: Path) -> None:
    assert list(blobs.digests()) == []
    first = blobs.put(file_of(tmp_path, b"stock"))
    assert blobs.put(file_of(tmp_path, b"stock")) == first
    other = blobs.put(file_of(tmp_path, b"pot"))
    assert sorted(blobs.digests()) == sorted([first, other])


def test_what_was_deleted_is_not_found(blobs: Blobs, tmp_path: Path) -> None:
    digest = blobs.put(file_of(tmp_path, b"stock"))
    blobs.delete(digest)
    blobs.delete(digest)
    assert not blobs.has(digest)
    with pytest.raises(NotFound, match=digest):
        blobs.fetch(digest, tmp_path / "target")


def test_a_blob_that_was_altered_is_not_handed_out(tmp_path: Path) -> None:
    blobs = open_blobs((tmp_path / "kept").as_uri())
    digest = blobs.put(file_of(tmp_path, b"stock"))
    (tmp_path / "kept" / digest[:2] / digest[2:]).write_bytes(b"stick")
    with pytest.raises(Damaged):
        blobs.fetch(digest, tmp_path / "target")


def test_a_bucket_that_is_not_there_says_where_it_looked(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="'nowhere'"):
        open_blobs("s3://nowhere/x").put(file_of(tmp_path, b"stock"))


@pytest.mark.parametrize("wrong", ["s3://", "ftp://host/x", "file://host/x", "backup"])
def test_an_unknown_store_is_told(wrong: str) -> None:
    with pytest.raises(ConfigError, match="names no store"):
        open_blobs(wrong)
