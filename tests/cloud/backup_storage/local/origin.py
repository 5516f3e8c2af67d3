"""A web server that says exactly what a test tells it to, byte for byte."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Origin:
    """The server's answers by path, and the requests that it got.

    An answer is a whole HTTP response; the connection is closed after it. A path without one is never
    answered.
    """

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)

    def serve(self, path: str, body: bytes) -> None:
        """Answer a path with 200 and a body."""
        self.answers[path] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def redirect(self, path: str, to: str, *, status: int = 302, body: bytes = b"") -> None:
        """Answer a path by sending the client elsewhere."""
        self.answers[path] = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: %d\r\n\r\n%s" % (
            status,
            to.encode(),
            len(body),
            body,
        )

    async def handle(self, stream: trio.abc.Stream) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            try:
                chunk = await stream.receive_some()
            except trio.BrokenResourceError:
                return
            if not chunk:
                return
            request += chunk
        self.requests.append(request)
        answer = self.answers.get(request.split()[1].decode())
        if answer is None:
            await trio.sleep_forever()
        assert answer is not None
        try:
            await stream.send_all(answer)
            await stream.aclose()
        except trio.BrokenResourceError:
            # The client went away in the middle, as some tests want.
            return


@asynccontextmanager
async def origin(*, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """Serve until the block ends.

    Args:
        host: any address of 127.0.0.0/8.
        tls: speak TLS with this.
    """
    server = Origin()
    listeners: list[trio.SocketListener] = await trio.open_tcp_listeners(0, host=host)
    server.port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        if tls is None:
            nursery.start_soon(trio.serve_listeners, server.handle, listeners)
        else:
            secured = [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]
            nursery.start_soon(trio.serve_listeners, server.handle, secured)
        yield server
        nursery.cancel_scope.cancel()


def certificate(folder: Path, *, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS context for a host name or address, and a client's that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    known_as: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(both)
    client = ssl.create_default_context(cadata=signed.public_bytes(serialization.Encoding.PEM).decode())
    return server, client
