"""The connection to libvirt, against the library's own test driver: real threads, real events, no QEMU."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import libvirt
import pytest
import trio

from agents.kvm import connection
from agents.kvm.connection import LibvirtConnection, plain_uuid
from tests.eventually import eventually
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable

GUEST = """
<domain type='test'><name>probe</name><uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>
<memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>
"""
UUID = "0123456789abcdef0123456789abcdef"


@dataclass
class Listener:
    """Remembers what it hears, and in which thread."""

    heard: list[tuple[Any, ...]] = field(default_factory=list)
    ready: int = 0
    lost_times: int = 0
    in_trio: bool = True

    def lifecycle(self, uuid: str, event: int, detail: int) -> None:
        """Remember."""
        self.in_trio &= trio.lowlevel.in_trio_run()
        self.heard.append((uuid, event, detail))

    def reset(self, uuid: str) -> None:
        """Remember."""
        self.heard.append((uuid, "reset"))

    def lost(self) -> None:
        """Remember."""
        self.lost_times += 1

    async def get_ready(self) -> None:
        """Count how often libvirtd was made sure of."""
        self.ready += 1


@pytest.fixture
def listener() -> Listener:
    """Who hears of domains."""
    return Listener()


@pytest.fixture
async def test_driver(listener: Listener) -> AsyncIterator[LibvirtConnection]:
    """A connection to the driver that libvirt has for tests."""
    reached = LibvirtConnection("test:///default", ready=listener.get_ready, listener=listener)
    yield reached
    await reached.aclose()


async def test_events_are_heard_in_trio_in_order(test_driver: LibvirtConnection, listener: Listener) -> None:
    domain = await test_driver.call(lambda connected: connected.createXML(GUEST))
    assert plain_uuid(domain) == UUID
    await test_driver.call(lambda connected: connected.lookupByName("probe").destroy())
    await eventually(lambda: len(listener.heard) >= 2, within=5)
    assert listener.heard == [
        (UUID, libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED),
        (UUID, libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED),
    ]
    assert listener.in_trio


async def test_it_opens_once_and_again_after_it_was_closed(test_driver: LibvirtConnection, listener: Listener) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(test_driver.connect)
    assert listener.ready == 1
    await test_driver.aclose()
    assert await test_driver.call(lambda connected: connected.getHostname())
    assert listener.ready == 2
    assert listener.lost_times == 0


async def test_a_refusal_is_in_libvirts_words(test_driver: LibvirtConnection) -> None:
    with pytest.raises(HostCommandFailed, match="Domain not found"):
        await test_driver.call(lambda connected: connected.lookupByName("nobody"))


async def test_a_libvirtd_that_is_not_there_is_unreachable(listener: Listener) -> None:
    uri = "qemu+unix:///system?socket=/nowhere/sock"
    with pytest.raises(HostUnreachable, match="does not answer at"):
        await LibvirtConnection(uri, ready=listener.get_ready, listener=listener).connect()


async def test_calls_run_beside_each_other_but_not_all_at_once(test_driver: LibvirtConnection) -> None:
    running, most = 0, 0
    token = trio.lowlevel.current_trio_token()
    gate = trio.Event()

    async def meet() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == connection.PARALLEL_CALLS:
            gate.set()
        await gate.wait()
        running -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(2 * connection.PARALLEL_CALLS):
            nursery.start_soon(test_driver.call, lambda _: trio.from_thread.run(meet, trio_token=token))
    assert most == connection.PARALLEL_CALLS
