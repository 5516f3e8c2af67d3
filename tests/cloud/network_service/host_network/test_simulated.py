"""A simulated host's own network."""

from __future__ import annotations

import pytest

from tests.shelf_runtime import ShelfRuntime
from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.cloud.network_service.host_network.host_side import HOST_SIDE
from zstack_appliance.cloud.network_service.host_network.simulated import (
    apply_host_network,
    list_host_network,
    purge_host_network,
)
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    HostNetworkInventory,
    ListHostNetwork,
    PublicNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.kernel.remote import HostCommandFailed


def test_every_command_has_its_twin() -> None:
    assert HOST_SIDE.simulated.keys() == HOST_SIDE.real.keys()


async def test_it_is_applied_listed_and_purged() -> None:
    bridge = ApplyBridge(l2_network_uuid="2" * 32)
    host = ShelfRuntime(shelves={"bridge": {"zbab12cd2222222": bridge}, "router": {"zs-ab12cd-3333333": None}})
    command = ApplyHostNetwork(public=(PublicNetwork(bridge="zbab12cd2222222", subnet="172.30.0.0/24"),))
    assert (await apply_host_network(command, host)).changed
    assert (await apply_host_network(command, host)).changed == ()
    found = await list_host_network(ListHostNetwork(), host)
    assert [one.name for one in found.interfaces] == ["zbab12cd2222222"]
    assert (found.namespaces, found.tables) == (("zs-ab12cd-3333333",), ("ip zs_ab12cd",))
    assert len((await purge_host_network(PurgeHostNetwork(), host)).changed) == 3
    assert await list_host_network(ListHostNetwork(), host) == HostNetworkInventory()


async def test_what_a_real_host_refuses_is_refused() -> None:
    wrong = PublicNetwork(bridge="docker0", subnet="172.30.0.0/24")
    with pytest.raises(HostCommandFailed, match="docker0"):
        await apply_host_network(ApplyHostNetwork(public=(wrong,)), ShelfRuntime())
