"""Hosts for contract tests: a `HostLink` that runs host halves here, with everything encoded on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from agents import process
from zstack_appliance.hostkit.simulated_files import SimulatedFiles
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import Command, Completed, HostHandler, Reply, reply_type


def silent(fraction: float | None, text: str) -> None:
    """Drop progress."""


@dataclass(frozen=True)
class RealRuntime:
    """This machine as a host, with real subprocesses."""

    data: Path
    instance: str = "abc123"
    sink: Report = silent
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def report(self, fraction: float | None, text: str) -> None:
        self.sink(fraction, text)

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        stdin: str | None = None,
        check: bool = True,
        memory_limit: int | None = None,
        private_network: bool = False,
    ) -> Completed:
        assert memory_limit is not None, "disk images are only read with a memory limit"
        assert private_network, "disk images are only read without a network"
        self.ran.append(tuple(argv))
        return await process.run(
            argv,
            timeout=timeout,
            stdin=stdin,
            check=check,
            memory_limit=memory_limit,
            private_network=private_network,
        )


@dataclass(frozen=True)
class SimulatedRuntime:
    """A simulated host's runtime, as far as storage goes."""

    files: SimulatedFiles
    sink: Report = silent
    instance: str = "abc123"

    def shelf(self, kind: str) -> dict[str, Any]:
        raise NotImplementedError(f"storage keeps nothing on the shelf {kind}")

    def report(self, fraction: float | None, text: str) -> None:
        self.sink(fraction, text)


@dataclass(frozen=True)
class Loopback:
    """A host in this process, reached the way that a remote one is."""

    handlers: Mapping[type[Command[Any]], HostHandler]
    runtime: RealRuntime | SimulatedRuntime

    async def ask(self, command: Command[Reply], *, report: Report | None = None) -> Reply:
        kind = type(command)
        arrived = msgspec.json.decode(msgspec.json.encode(command), type=kind)
        runtime = self._reporting(report)
        reply = await self.handlers[kind](arrived, runtime)
        decoded: Reply = msgspec.json.decode(msgspec.json.encode(reply), type=reply_type(kind))
        assert decoded == reply
        return decoded

    def _reporting(self, report: Report | None) -> RealRuntime | SimulatedRuntime:
        if isinstance(self.runtime, RealRuntime):
            return RealRuntime(self.runtime.data, self.runtime.instance, report or silent, self.runtime.ran)
        return SimulatedRuntime(self.runtime.files, report or silent)
