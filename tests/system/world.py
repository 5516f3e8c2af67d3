"""What is round a test's host: guests, neighbours and an internet, each a namespace on a cable.

Primitives: `World` (makes machines and works on them), `Talk` (a TCP connection's client). For use inside
`tests.system.host` alone, where the network is the test's own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from agents.process import run
from zstack_appliance.kernel.remote import Completed

UDHCPC = """\
#!/bin/sh
env > "$RESULT.$1"
[ "$1" = bound ] || exit 0
[ -z "$mtu" ] || ip link set dev "$interface" mtu "$mtu"
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
"""
"""What a guest does with an offer: it takes it, and keeps what it was told in a file."""


@dataclass(frozen=True)
class World:
    """The machines round a host; `folder` holds what they write."""

    folder: Path

    async def machine(self, name: str, *, end: str, mac: str | None = None, bridge: str | None = None) -> None:
        """Make a machine with one interface, ``eth0``.

        Args:
            name: of its namespace.
            end: name of the cable's end in the host.
            mac: of its interface.
            bridge: where the host's end is plugged in.
        """
        address = ["address", mac] if mac is not None else []
        plugged = ["master", bridge] if bridge is not None else []
        await run(["ip", "netns", "add", name])
        await run(["ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", *address, "netns", name])
        # Without an IPv6 address of its own, which would come some time later and look like a change.
        await run(["ip", "link", "set", end, "addrgenmode", "none", *plugged, "up"])
        for interface in ("lo", "eth0"):
            await run(["ip", "-netns", name, "link", "set", interface, "up"])

    async def address(self, name: str, cidr: str, *, gateway: str | None = None) -> None:
        """Give a machine a fixed address."""
        await run(["ip", "-netns", name, "addr", "add", cidr, "dev", "eth0"])
        if gateway is not None:
            await run(["ip", "-netns", name, "route", "replace", "default", "via", gateway])

    async def on(self, name: str, *argv: str, check: bool = True) -> Completed:
        """Run a program on a machine."""
        return await run(["ip", "netns", "exec", name, *argv], check=check)

    async def lease(self, name: str, *, attempts: int = 4) -> dict[str, str] | None:
        """Have a machine ask for an address; what it was told, or None when nobody answered."""
        script = self.folder / "udhcpc"
        script.write_text(UDHCPC)
        script.chmod(0o755)
        result = self.folder / f"lease-{name}"
        bound = self.folder / f"lease-{name}.bound"
        bound.unlink(missing_ok=True)
        client = ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", str(attempts), "-T", "1"]
        wishes = [word for option in ("mtu", "hostname", "search") for word in ("-O", option)]
        asked = ["env", f"RESULT={result}", *client, "-s", str(script), *wishes]
        told = await self.on(name, *asked, check=False)
        if told.returncode != 0:
            return None
        lines = bound.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    async def lookup(self, name: str, asked: str, server: str) -> str:
        """What a name server answers a machine, without the lines about the server; empty when it is silent."""
        patient = ["busybox", "timeout", "2", "busybox", "nslookup", asked, server]
        answered = await self.on(name, *patient, check=False)
        return answered.stdout.partition("\n\n")[2].strip()

    @asynccontextmanager
    async def server(self, name: str, port: int) -> AsyncIterator[None]:
        """A TCP server on a machine that says who connected, and then back whatever it is told."""
        script = [sys.executable, str(Path(__file__).with_name("whoami.py")), str(port)]
        async with _background(["ip", "netns", "exec", name, *script]) as started:
            await Talk(started).hear()
            yield

    @asynccontextmanager
    async def connection(self, name: str, address: str, port: int) -> AsyncIterator[Talk]:
        """A TCP connection from a machine."""
        client = ["busybox", "nc", address, str(port)]
        async with _background(["ip", "netns", "exec", name, *client]) as started:
            yield Talk(started)

    async def seen_as(self, name: str, address: str, port: int, *, within: float = 2) -> str | None:
        """The address that a server sees a machine's connection come from; None when it sees none."""
        async with self.connection(name, address, port) as talk:
            with trio.move_on_after(within):
                return await talk.hear() or None
        return None


@dataclass(frozen=True)
class Talk:
    """A connection's client."""

    client: trio.Process

    async def hear(self, *, within: float = 30) -> str:
        """The next line from the other side; empty when it has ended."""
        assert self.client.stdout is not None
        line = b""
        with trio.move_on_after(within):
            while not line.endswith(b"\n"):
                chunk = await self.client.stdout.receive_some()
                if not chunk:
                    return ""
                line += chunk
            return line.decode().strip()
        raise AssertionError(f"within {within:g} s only {len(line)} bytes came, and no end of line")

    async def say(self, text: str) -> None:
        """Send a line."""
        assert self.client.stdin is not None
        await self.client.stdin.send_all(f"{text}\n".encode())


@asynccontextmanager
async def _background(argv: list[str]) -> AsyncIterator[trio.Process]:
    """A program that runs while the block lasts, with pipes to talk to it."""
    started = await trio.lowlevel.open_process(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        with trio.CancelScope(shield=True):
            started.kill()
            await started.wait()
            for stream in (started.stdin, started.stdout):
                if stream is not None:
                    await stream.aclose()
