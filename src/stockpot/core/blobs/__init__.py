"""The port `Blobs`: large things that never change, kept by what they hold.

Chosen by URL: `file:///FOLDER` on this host, `s3://BUCKET/PREFIX` in any store that speaks S3.
Importing this front costs nothing; a driver is loaded when its URL is opened.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from stockpot.core.blobs.port import Blobs, Damaged
from stockpot.core.errors import ConfigError

__all__ = ["Blobs", "Damaged", "open_blobs"]


def open_blobs(url: str) -> Blobs:
    """The store behind a URL. Raises ConfigError for a scheme that nobody serves."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        from stockpot.core.blobs.files import FileBlobs

        return FileBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from stockpot.core.blobs.s3 import S3Blobs

        return S3Blobs(parts.netloc, parts.path.strip("/"))
    raise ConfigError(f"{url!r} names no store of blobs", hint="s3://BUCKET/PREFIX or file:///PATH")
