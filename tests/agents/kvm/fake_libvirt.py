"""A libvirt without QEMU: domains that remember what was done to them, with libvirt's own errors.

It keeps the rules that our code leans on: a domain must be defined to be started and off to be undefined,
and what does not fit the state fails with libvirt's code for it.
"""

from __future__ import annotations

import uuid as uuids
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import libvirt

from agents.kvm.connection import DomainListener

T = TypeVar("T")

RUNNING, PAUSED, SHUTOFF, CRASHED = 1, 3, 5, 6

CAPABILITIES = """
<capabilities><host><secmodel><model>none</model></secmodel>
<secmodel><model>dac</model><baselabel type='kvm'>+0:+0</baselabel></secmodel></host></capabilities>
"""


def libvirt_error(code: int, text: str) -> libvirt.libvirtError:
    """An error as libvirt raises it."""
    error = libvirt.libvirtError(text)
    error.err = (code, 0, text, 2, None, None, None, -1, -1)
    return error


@dataclass
class FakeDomain:
    """One domain. `obedient` guests power off and restart when they are asked to."""

    connection: FakeConnection
    xml: str
    current: int = SHUTOFF
    obedient: bool = True

    def _node(self) -> ET.Element:
        return ET.fromstring(self.xml)

    def name(self) -> str:
        """As libvirt's."""
        return self._node().findtext("name") or ""

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        """As libvirt's, with hyphens."""
        return str(uuids.UUID(self._node().findtext("uuid")))

    def state(self) -> list[int]:
        """State and reason."""
        return [self.current, 0]

    def metadata(self, kind: int, uri: str) -> str:
        """Our element, or libvirt's error for its absence."""
        assert kind == libvirt.VIR_DOMAIN_METADATA_ELEMENT
        for element in self._node().iterfind("metadata/*"):
            if element.tag.startswith(f"{{{uri}}}"):
                return ET.tostring(element, encoding="unicode")
        raise libvirt_error(libvirt.VIR_ERR_NO_DOMAIN_METADATA, "metadata not found")

    def XMLDesc(self) -> str:  # noqa: N802 - libvirt's name
        """With the port of the display filled in."""
        return self.xml.replace('port="-1"', 'port="5907"')

    def create(self) -> None:
        """Start it."""
        self.connection.count("create")
        if self.connection.start_fault is not None:
            raise libvirt_error(libvirt.VIR_ERR_INTERNAL_ERROR, self.connection.start_fault)
        self._need(SHUTOFF)
        self._become(RUNNING, (4, 0), (2, 0))

    def destroy(self) -> None:
        """Pull the plug."""
        self._need(RUNNING, PAUSED, CRASHED)
        self._become(SHUTOFF, (5, 1))

    def shutdown(self) -> None:
        """Press the power button."""
        self.connection.count("shutdown")
        self._need(RUNNING)
        if self.obedient:
            self._become(SHUTOFF, (6, 1), (5, 0))

    def reboot(self) -> None:
        """Ask for a restart."""
        self.connection.count("reboot")
        self._need(RUNNING)
        if self.obedient:
            self.connection.listener.reset(self.UUIDString().replace("-", ""))

    def reset(self) -> None:
        """Press the reset button."""
        self.connection.count("reset")
        self._need(RUNNING, PAUSED)

    def suspend(self) -> None:
        """Halt it."""
        self._need(RUNNING)
        self._become(PAUSED, (3, 0))

    def resume(self) -> None:
        """Let it go on."""
        self._need(PAUSED)
        self._become(RUNNING, (4, 0))

    def undefine(self) -> None:
        """Forget it."""
        self.undefineFlags(0)

    def undefineFlags(self, flags: int) -> None:  # noqa: N802 - libvirt's name
        """Forget it with all that belongs to it."""
        self._need(SHUTOFF)
        del self.connection.domains[self.UUIDString()]

    def powers_off(self) -> None:
        """The guest does it by itself."""
        self._become(SHUTOFF, (6, 1), (5, 0))

    def _need(self, *states: int) -> None:
        if self.current not in states:
            raise libvirt_error(libvirt.VIR_ERR_OPERATION_INVALID, "the domain is in the wrong state")

    def _become(self, state: int, *events: tuple[int, int]) -> None:
        self.current = state
        for event, detail in events:
            self.connection.listener.lifecycle(self.UUIDString().replace("-", ""), event, detail)


@dataclass
class FakeConnection:
    """A virConnect. `calls` holds the names of the calls that reach libvirtd."""

    listener: DomainListener
    domains: dict[str, FakeDomain] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    start_fault: str | None = None

    def count(self, call: str) -> None:
        """Remember a call."""
        self.calls.append(call)

    def defineXML(self, xml: str) -> FakeDomain:  # noqa: N802 - libvirt's name
        """Define a domain, or describe one anew."""
        self.count("define")
        domain = FakeDomain(self, xml)
        known = self.domains.setdefault(domain.UUIDString(), domain)
        known.xml = xml
        return known

    def lookupByUUIDString(self, uuid: str) -> FakeDomain:  # noqa: N802 - libvirt's name
        """Find a domain."""
        self.count("lookup")
        if uuid not in self.domains:
            raise libvirt_error(libvirt.VIR_ERR_NO_DOMAIN, f"no domain with matching uuid '{uuid}'")
        return self.domains[uuid]

    def listAllDomains(self, flags: int) -> list[FakeDomain]:  # noqa: N802 - libvirt's name
        """All of them."""
        return list(self.domains.values())

    def getInfo(self) -> list[Any]:  # noqa: N802 - libvirt's name
        """Model, memory, threads, MHz, nodes, sockets, cores, threads per core."""
        return ["x86_64", 4000, 32, 2600, 2, 1, 8, 2]

    def getHostname(self) -> str:  # noqa: N802 - libvirt's name
        """Of the host."""
        return "fake"

    def getLibVersion(self) -> int:  # noqa: N802 - libvirt's name
        """Packed."""
        self.count("version")
        return 9_000_000

    def getVersion(self) -> int:  # noqa: N802 - libvirt's name
        """Of QEMU, packed."""
        return 7_002_022

    def getCapabilities(self) -> str:  # noqa: N802 - libvirt's name
        """With the user that runs guests."""
        return CAPABILITIES

    def domain(self, uuid: str) -> FakeDomain:
        """A domain by ZStack's UUID, for the test."""
        return self.domains[str(uuids.UUID(uuid))]


class FakeLibvirt:
    """Stands in for `LibvirtConnection`, without threads, so that a virtual clock may run."""

    def __init__(self, listener: DomainListener) -> None:
        self.connection = FakeConnection(listener)
        self.failure: Exception | None = None

    async def call(self, work: Callable[[Any], T]) -> T:
        """Run `work` at once; libvirt's errors become ours as in the real connection."""
        from zstack_appliance.kernel.remote import HostCommandFailed

        if self.failure is not None:
            raise self.failure
        try:
            return work(self.connection)
        except libvirt.libvirtError as error:
            raise HostCommandFailed(str(error)) from error

    async def connect(self) -> None:
        """Nothing to open."""
        if self.failure is not None:
            raise self.failure

    async def aclose(self) -> None:
        """Nothing to close."""
