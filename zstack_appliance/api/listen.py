"""Where a door listens: the addresses, the TLS material, and the socket that is bound to them.

Primitives: `Listen` (TCP, with or without `TLS`), `ListenUnix` (a socket file), `bind` (either of them
made a listening socket), `Address` (where it can be reached).
"""

from __future__ import annotations

import os
import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 1024
"""Connections that the kernel may hold for us before we accept them."""


class CannotListen(Exception):
    """An address cannot be listened on. The text tells the operator why and what to do.

    You get it while doors open: the address is taken or not of this machine, or the TLS files are
    unusable. You do not get it once they are open.
    """


@dataclass(frozen=True)
class TLS:
    """A certificate chain and its private key, both PEM files."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Load them for a server that speaks HTTP/1.1 over TLS 1.2 or newer.

        Raises:
            CannotListen: a file cannot be read, or the two do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key)
        except OSError as failed:
            raise CannotListen(
                f"cannot use the TLS certificate {self.certificate} with the key {self.key}: {failed}; "
                "give a PEM certificate and the private key that belongs to it"
            ) from failed
        return context


@dataclass(frozen=True)
class Listen:
    """A TCP address. Port 0 takes any free port; `Address.port` says which."""

    host: str
    port: int
    tls: TLS | None = None


@dataclass(frozen=True)
class ListenUnix:
    """A socket file. Whoever connects is known by user id (`protocol.peer_credentials`).

    Args:
        path: where to make it; one that a dead process left behind is replaced.
        mode: permission bits. Linux asks for write permission to connect.
    """

    path: Path
    mode: int = 0o600


@dataclass(frozen=True)
class Address:
    """Where an open door can be reached: its URL, and its port if it has one."""

    url: str
    port: int | None = None


def bind(listen: Listen | ListenUnix) -> tuple[socket.socket, Address]:
    """Make a listening socket. It may resolve a name, so call it in a thread.

    Raises:
        CannotListen: the address is taken, not of this machine, or not allowed.
    """
    try:
        if isinstance(listen, ListenUnix):
            return _bind_unix(listen)
        return _bind_tcp(listen)
    except OSError as failed:
        where = listen.path if isinstance(listen, ListenUnix) else f"{listen.host} port {listen.port}"
        raise CannotListen(
            f"cannot listen on {where}: {failed.strerror or failed}; stop what uses it or choose another address"
        ) from failed


def _bind_tcp(listen: Listen) -> tuple[socket.socket, Address]:
    found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    port = int(bound.getsockname()[1])
    scheme = "http" if listen.tls is None else "https"
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return bound, Address(f"{scheme}://{host}:{port}/", port)


def _bind_unix(listen: ListenUnix) -> tuple[socket.socket, Address]:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_leftover(listen.path)
        bound.bind(os.fspath(listen.path))
        # Nobody can connect before listen(), so the permissions are never wider than asked for.
        listen.path.chmod(listen.mode)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound, Address(f"unix:{listen.path}")


def _remove_leftover(path: Path) -> None:
    """Remove the socket file of a process that was killed; leave one that still answers."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
