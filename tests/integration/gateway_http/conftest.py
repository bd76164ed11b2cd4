"""Every test here runs on uvloop and on plain asyncio; and a certificate authority for TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stockpot.gateway.http.calls import FailureKind
from stockpot.gateway.http.messages import Exchange, Handler, Headers, Request, Responder
from stockpot.gateway.http.server import HttpServer, ServerLimits

try:
    import uvloop
except ImportError:  # Windows
    uvloop = None

HERE = Path(__file__).parent


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
        "asyncio": asyncio.new_event_loop
    }
    if uvloop is not None:
        factories["uvloop"] = uvloop.new_event_loop
    return factories


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(autouse=True)
async def _no_loop_errors() -> AsyncIterator[None]:
    """What the event loop reports as an error is one."""
    seen: list[Mapping[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: seen.append(context))
    yield
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    assert seen == []


class Authority:
    """Our own certificate authority, with a server certificate for names of this machine."""

    def __init__(self, folder: Path) -> None:
        key, name = _key(), _name("stockpot test CA")
        root = _certificate(name, name, key, key, _CA)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        server_key = _key()
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName("localhost"),
                x509.DNSName("upstream.test"),
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            ]
        )
        server = _certificate(_name("server"), name, server_key, key, names)
        pem = folder / "server.pem"
        pem.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + server.public_bytes(serialization.Encoding.PEM)
        )
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(pem)
        self.client = ssl.create_default_context(cafile=self.ca_file)


_CA = x509.BasicConstraints(ca=True, path_length=0)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(extension, critical=extension is _CA)
    )
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


class Heard:
    """A responder that remembers what it heard of its client."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.blocked = asyncio.Event()
        self.writable = asyncio.Event()
        self.calls: list[str] = []

    def client_gone(self) -> None:
        self.calls.append("gone")
        self.gone.set()

    def client_blocked(self) -> None:
        self.calls.append("blocked")
        self.blocked.set()

    def client_writable(self) -> None:
        self.calls.append("writable")
        self.writable.set()


class Desk:
    """A handler whose answers the test gives by hand."""

    def __init__(self) -> None:
        self.exchanges: asyncio.Queue[tuple[Exchange, Heard]] = asyncio.Queue()

    def handle(self, request: Request, exchange: Exchange) -> Responder:
        heard = Heard()
        self.exchanges.put_nowait((exchange, heard))
        return heard


class Echo:
    """A handler that answers at once with what it got."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def handle(self, request: Request, exchange: Exchange) -> None:
        self.requests.append(request)
        headers = [(b"content-type", b"text/plain"), (b"x-path", request.path)]
        exchange.respond(200, headers, request.body)


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, limits: ServerLimits | None = None, **options: Any
) -> AsyncIterator[tuple[HttpServer, int]]:
    """A server on a free port of this machine."""
    tls = options.pop("tls", None)
    server = HttpServer(handler, limits, **options)
    port = await server.listen("127.0.0.1", 0, tls=tls)
    try:
        yield server, port
    finally:
        await server.drain(0.0)


@contextlib.asynccontextmanager
async def raw_upstream(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    **options: Any,
) -> AsyncIterator[int]:
    """An upstream that does what `serve` does with each connection; yields its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(one, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Log:
    """A receiver that writes everything down."""

    def __init__(self) -> None:
        self.connects: list[bool] = []
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.ends: list[str] = []
        self.message = ""
        self.over = asyncio.Event()
        self.begun = asyncio.Event()

    def on_connected(self, reused: bool) -> None:
        self.connects.append(reused)

    def on_head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self.begun.set()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_end(self) -> None:
        self.ends.append("end")
        self.over.set()

    def on_failure(self, kind: FailureKind, message: str) -> None:
        self.ends.append(kind)
        self.message = message
        self.over.set()


async def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "it did not come true"
        await asyncio.sleep(0.005)
