"""Bridges: what is joined to them, and when they go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.process import run
from tests.system.router_site import (
    GUESTS,
    INSTANCE,
    L2_GUESTS,
    L3,
    Site,
    differences,
    everything,
    make_site,
)
from zstack_appliance.cloud.l2_network import host_side as l2
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, RemoveBridge
from zstack_appliance.cloud.network_service.namespace_router import host_side as router
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    RemoveRouter,
)
from zstack_appliance.kernel.remote import HostCommandFailed


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A host that is connected to the internet and has its bridges, but no router."""
    return await make_site(tmp_path)


async def test_a_bridge_with_something_attached_stays(site: Site) -> None:
    await site.apply()
    with pytest.raises(HostCommandFailed, match=f"zi{INSTANCE}3333333"):
        await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)
    await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
    assert (await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)).changed
    assert (await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)).changed == ()


async def test_an_interface_that_the_host_needs_is_not_joined(site: Site) -> None:
    before = await everything()
    for interface, reason in (("uplink0", "default route"), ("lo", "127.0.0.1"), ("nothing0", "nothing0")):
        command = ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450, physical_interface=interface)
        with pytest.raises(HostCommandFailed, match=reason):
            await l2.apply_bridge(command, site.runtime)
    assert differences(before, await everything()) == []


async def test_a_spare_interface_is_joined_and_let_go(site: Site) -> None:
    await run(["ip", "link", "add", "spare0", "type", "veth", "peer", "name", "cable0"])
    joined = ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450, physical_interface="spare0")
    await l2.apply_bridge(joined, site.runtime)
    assert (await l2.apply_bridge(joined, site.runtime)).changed == ()
    assert await _master("spare0") == GUESTS
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450), site.runtime)
    assert await _master("spare0") is None


async def _master(interface: str) -> str | None:
    [link] = json.loads((await run(["ip", "-j", "link", "show", interface])).stdout)
    master: str | None = link.get("master")
    return master
