"""Blobs in a bucket. Knows S3 by `boto3` (extra `s3`).

Credentials, region and endpoint are found as the AWS tools find them: AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL_S3, profiles, roles. Large files go up in parts, several at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockpot.core.blobs.port import checked, digest_of
from stockpot.core.errors import ConfigError, NotFound, Unavailable


class S3Blobs:
    """See `port.Blobs`."""

    def __init__(self, bucket: str, prefix: str) -> None:
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ModuleNotFoundError:
            raise ConfigError(
                "the package `boto3` is not installed", hint="pip install 'stockpot[s3]'"
            ) from None
        self._refused: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._client: Any = boto3.client("s3")

    def put(self, source: Path) -> str:
        digest = digest_of(source)
        if not self.has(digest):
            self._call("upload_file", str(source), self._bucket, self._key(digest))
        return digest

    def fetch(self, digest: str, target: Path) -> None:
        if not self.has(digest):
            raise NotFound(f"no blob {digest} in s3://{self._bucket}/{self._prefix}")
        self._call("download_file", self._bucket, self._key(digest), str(target))
        checked(target, digest)

    def has(self, digest: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=self._key(digest))
        except self._refused as refused:
            answer = getattr(refused, "response", {})
            if answer.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NotFound"):
                return False
            raise self._unavailable(refused) from None
        return True

    def delete(self, digest: str) -> None:
        self._call("delete_object", Bucket=self._bucket, Key=self._key(digest))

    def digests(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for found in page.get("Contents", ()):
                    name = str(found["Key"]).removeprefix(self._prefix).replace("/", "")
                    if len(name) == 64:
                        yield name
        except self._refused as refused:
            raise self._unavailable(refused) from None

    def _key(self, digest: str) -> str:
        return f"{self._prefix}{digest[:2]}/{digest[2:]}"

    def _call(self, verb: str, *given: Any, **named: Any) -> None:
        from boto3.exceptions import Boto3Error

        try:
            getattr(self._client, verb)(*given, **named)
        except (*self._refused, Boto3Error) as refused:
            raise self._unavailable(refused) from None

    def _unavailable(self, refused: Exception) -> Unavailable:
        return Unavailable(
            f"the bucket {self._bucket!r} refused: {refused}",
            hint="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3 say who and where",
        )
