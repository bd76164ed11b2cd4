"""A stand-in for AWS's services that hand out the credentials of a role, on loopback.

Sources: Amazon EKS User Guide, "Pod Identity Agent"; Amazon EC2 User Guide, "Use IMDSv2".
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

ROLE = "/latest/meta-data/iam/security-credentials/"


class Metadata:
    """Pod identity's agent at /v1/credentials, and an instance's metadata service (IMDSv2)."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
        self.serial, self.lasts, self.asked = 1, 3600.0, 0
        self.token = "pod/1"
        self.session = "AQAE=="
        self.key, self.secret = "", "leek/secret"
        self.odd: bytes | None = None
        self.port = 0

    def clock(self) -> float:
        return self.now

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        self.asked += 1
        status, body = self.answer(method, path, {k.lower(): v for k, v in pairs})
        size = b"content-length: %d\r\nconnection: close\r\n" % len(body)
        writer.write(f"HTTP/1.1 {status} x\r\n".encode() + size + b"location: /v1/credentials\r\n")
        writer.write(b"\r\n" + body)
        await writer.drain()
        writer.close()

    def answer(self, method: str, path: str, head: dict[str, str]) -> tuple[int, bytes]:
        if self.odd is not None:
            return 200, self.odd
        if path == "/v1/credentials":
            return (200, self.made()) if head.get("authorization") == self.token else (401, b"")
        if path == "/moved":
            return 302, b""
        if path == "/latest/api/token":
            lasting = int(head.get("x-aws-ec2-metadata-token-ttl-seconds", "0"))
            fine = method == "PUT" and 1 <= lasting <= 21600
            return (200, self.session.encode()) if fine else (400, b"")
        if method != "GET" or head.get("x-aws-ec2-metadata-token") != self.session:
            return 401, b""
        return {ROLE: (200, b"cook"), ROLE + "cook": (200, self.made())}.get(path, (404, b""))

    def made(self) -> bytes:
        ends = datetime.fromtimestamp(self.now + self.lasts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = {
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": self.key or f"ASIA{self.serial}",
            "SecretAccessKey": self.secret, "Token": f"leek+token{self.serial}", "Expiration": ends,
        }  # fmt: skip
        return json.dumps(said).encode()
