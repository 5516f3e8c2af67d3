"""Connections that go where the rules looked, and nowhere else.

Primitives: `PinnedBackend` (resolves a name once, checks every address that it has, and connects to one of
those), `resolve`, `EgressRefused`.

A URL is written by whoever adds an image or asks for a web hook, and names can answer differently each time they
are asked. So it is the address that is judged, at the moment of connecting, and the connection goes to the judged
address. Because this happens below HTTP, a redirect to anywhere meets the same rules.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

import httpcore
import trio

from zstack_appliance.hostkit.egress import Address, Egress

Resolve = Callable[[str, int], Awaitable[tuple[Address, ...]]]


class EgressRefused(Exception):
    """A fetch would have connected to where it may not. The text is for the operator."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Network connections for HTTP that obey an `Egress`.

    Args:
        egress: the rules.
        resolve: names to addresses.
        opened_by: what an administrator opens a host by, in words.
    """

    def __init__(
        self, egress: Egress, resolve: Resolve, opened_by: str = "the list of hosts that images may come from"
    ) -> None:
        self._egress = egress
        self._resolve = resolve
        self._opened_by = opened_by
        self._network = httpcore.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge every address, connect to the first that answers.

        Raises:
            EgressRefused: one of the addresses is forbidden. Connecting to the others would let a name mix
                its way past the rules.
            httpcore.ConnectError: the name has no address, or none answers.
        """
        addresses = await self._resolve(host, port)
        for address in addresses:
            fault = self._egress.fault(host, address)
            if fault:
                raise EgressRefused(
                    f"{host} is refused: its address {address} is {fault}. An administrator can add it to "
                    f"{self._opened_by}"
                )
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            share = None if timeout is None else timeout / len(addresses)
            try:
                return await self._network.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Nothing is fetched from a socket of this machine.

        Raises:
            EgressRefused: always.
        """
        raise EgressRefused(f"{path} is refused: images do not come from local sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore does between retries."""
        await trio.sleep(seconds)


async def resolve(host: str, port: int) -> tuple[Address, ...]:
    """A host's addresses in the system's order, each once.

    Raises:
        httpcore.ConnectError: the name does not resolve.
    """
    try:
        found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} does not resolve: {error}") from error
    return tuple(dict.fromkeys(ip_address(where[0]) for *_, where in found))
