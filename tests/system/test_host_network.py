"""The host's own network: the way out, what cannot come in, and what a purge leaves."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agents.kvm.runtime import LocalRuntime
from agents.process import run
from tests.system.router_site import (
    DATA,
    GATEWAY,
    HOST,
    INSTANCE,
    INTERNET,
    L2_GUESTS,
    L2_PUBLIC,
    NAMESPACE,
    NEIGHBOUR,
    PUBLIC,
    ROUTER,
    SPEC,
    UPLINK,
    WEB,
    Site,
    differences,
    everything,
    make_site,
)
from tests.system.world import World
from zstack_appliance.cloud.l2_network import host_side as l2
from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.cloud.network_service.host_network import host_side as host
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    HostNetworkInventory,
    ListHostNetwork,
    PublicNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.hostkit.daemons import arguments


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A host that is connected to the internet and has its bridges, but no router."""
    return await make_site(tmp_path)


async def test_from_outside_nothing_begins(site: Site) -> None:
    world = site.world
    await site.guest(WEB, "web")
    await site.neighbour()
    await site.apply()
    await world.lease("web")
    await world.on("neighbour", "ip", "route", "add", "192.168.77.0/24", "via", ROUTER)
    await world.on("neighbour", "ping", "-c1", "-W2", ROUTER)
    async with world.server("web", 8000), world.server(NAMESPACE, 8000):
        assert await world.seen_as("neighbour", WEB.ip, 8000, within=1) is None
        for address in (ROUTER, GATEWAY):
            assert await world.seen_as("neighbour", address, 8000, within=1) is None
            assert await world.seen_as("web", address, 8000) == WEB.ip
    # The host forwards now, but a stranger behind the uplink cannot use that to begin anything.
    await world.on("internet", "ip", "route", "add", "172.30.0.0/24", "via", UPLINK)
    async with world.server("neighbour", 8001):
        assert await world.seen_as("internet", NEIGHBOUR, 8001, within=1) is None
        assert await world.seen_as("neighbour", NEIGHBOUR, 8001) == NEIGHBOUR


async def test_a_guest_does_not_get_out_with_an_address_that_it_made_up(site: Site) -> None:
    world = site.world
    await site.guest(WEB, "web")
    await site.neighbour()
    await site.apply()
    await world.lease("web")
    rules = "table ip seen { chain c { type filter hook input priority 0; ip saddr 10.66.0.1 counter; }; }"
    await world.on("neighbour", "nft", rules)
    await world.address("web", "10.66.0.1/32")
    knock = ["ping", "-c1", "-W1", "-I", "10.66.0.1", NEIGHBOUR]
    await world.on("web", *knock, check=False)
    assert "packets 0" in (await world.on("neighbour", "nft", "list", "ruleset")).stdout
    # The neighbour would have seen it.
    await world.on(NAMESPACE, "nft", "insert", "rule", "ip", f"zs_{INSTANCE}", "forward", "accept")
    await world.on("web", *knock, check=False)
    assert "packets 1" in (await world.on("neighbour", "nft", "list", "ruleset")).stdout


async def test_large_transfers_pass_a_narrow_way_out(site: Site) -> None:
    world = site.world
    await run(["ip", "link", "set", "uplink0", "mtu", "1300"])
    # The far side never hears that its packets are too large, as happens on many networks.
    await world.on("internet", "nft", "-f", str(quiet(world.folder)))
    await run(["ip", "-netns", "internet", "link", "set", "eth0", "gso_max_segs", "1"])
    await site.guest(WEB, "web")
    await site.apply()
    await world.lease("web")
    async with world.server("internet", 8000), world.connection("web", INTERNET, 8000) as talk:
        assert await talk.hear() == UPLINK
        await talk.say("x" * 20_000)
        assert len(await talk.hear()) == 20_000


async def test_the_way_out_survives_a_firewall_that_drops_what_is_forwarded(site: Site) -> None:
    docker = """
        table ip filter {
            chain DOCKER-USER { return; }
            chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
        }
    """
    await run(["nft", "-f", "-"], stdin=docker)
    theirs = (await run(["nft", "-s", "list", "table", "ip", "filter"])).stdout
    await site.guest(WEB, "web")
    await site.apply()
    # Bridged packets are shown to firewalls too, as Docker has the kernel do: not even DHCP passes.
    await run(["sysctl", "-w", "net.bridge.bridge-nf-call-iptables=1"])
    assert await site.world.lease("web", attempts=1) is None
    public = PublicNetwork(bridge=PUBLIC, subnet="172.30.0.0/24")
    opened = await host.apply_host_network(ApplyHostNetwork(public=(public,)), site.runtime)
    assert len(opened.changed) == 2
    assert await site.world.lease("web") is not None
    async with site.world.server("internet", 8000):
        assert await site.world.seen_as("web", INTERNET, 8000) == UPLINK
    # What iptables shows of it is what an administrator expects to see there.
    shown = (await run(["iptables-nft", "-S", "DOCKER-USER"])).stdout
    assert f"-A DOCKER-USER -i zb{INSTANCE}+" in shown
    again = await host.apply_host_network(ApplyHostNetwork(public=(public,)), site.runtime)
    assert again.changed == ()
    assert len((await site.inventory()).rules) == 2
    await host.purge_host_network(PurgeHostNetwork(), site.runtime)
    assert (await run(["nft", "-s", "list", "table", "ip", "filter"])).stdout == theirs


async def test_firewalls_that_only_the_administrator_can_open_are_named(site: Site) -> None:
    await run(["nft", "add table inet strict"])
    chain = "{ type filter hook forward priority 10; policy drop; }"
    await run(["nft", f"add chain inet strict passing {chain}"])
    state = await host.apply_host_network(ApplyHostNetwork(), site.runtime)
    [note] = state.notes
    assert "inet strict passing" in note


async def test_purge_leaves_the_host_as_it_was(tmp_path: Path) -> None:
    await run(["ip", "link", "add", "nic0", "type", "veth", "peer", "name", "cable0"])
    await run(["ip", "link", "set", "nic0", "up"])
    await run(["ip", "addr", "add", "203.0.113.2/24", "dev", "nic0"])
    await run(["ip", "route", "add", "default", "via", "203.0.113.1"])
    # What forwarding turns round behind one's back.
    await run(["sysctl", "-w", "net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.nic0.forwarding=1"])
    await run(["nft", "add table ip others"])
    before = await everything()

    runtime = LocalRuntime(instance=INSTANCE, data=DATA)
    site = Site(runtime=runtime, world=World(folder=tmp_path))
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS), runtime)
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_PUBLIC, addresses=(f"{HOST}/24",)), runtime)
    public = PublicNetwork(bridge=PUBLIC, subnet="172.30.0.0/24")
    for _ in range(2):
        await host.apply_host_network(ApplyHostNetwork(public=(public,)), runtime)
    await site.apply(msgspec.structs.replace(SPEC, mtu=1500))
    await run(["ip", "tuntap", "add", f"zt{INSTANCE}0", "mode", "tap"])
    inventory = await site.inventory()
    assert {one.kind for one in inventory.interfaces} == {"bridge", "veth", "tun"}
    assert inventory.namespaces == (NAMESPACE,)
    assert inventory.tables == (f"ip zs_{INSTANCE}",)
    assert inventory.folders == (NAMESPACE,)
    assert [daemon.namespace for daemon in inventory.daemons] == [NAMESPACE]
    assert differences(before, await everything())

    await host.purge_host_network(PurgeHostNetwork(), runtime)
    assert differences(before, await everything()) == []
    assert await site.inventory() == HostNetworkInventory()
    assert (await host.purge_host_network(PurgeHostNetwork(), runtime)).changed == ()
    assert differences(before, await everything()) == []


async def test_purge_finds_what_lost_its_name_and_spares_other_appliances(site: Site) -> None:
    other = LocalRuntime(instance="ffffff", data=DATA.with_name("other"))
    await host.apply_host_network(ApplyHostNetwork(), other)
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS), other)
    await site.apply()
    pid = await site.dnsmasq()
    await run(["ip", "netns", "del", NAMESPACE])
    purged = await host.purge_host_network(PurgeHostNetwork(), site.runtime)
    assert arguments(pid) == ()
    assert purged.notes
    assert (await run(["sysctl", "-n", "net.ipv4.ip_forward"])).stdout.strip() == "1"
    left = await host.list_host_network(ListHostNetwork(), other)
    assert (len(left.interfaces), left.tables) == (1, ("ip zs_ffffff",))


def quiet(folder: Path) -> Path:
    """Rules under which a machine hears no complaint about the size of its packets, nor sees a larger one."""
    rules = folder / "quiet.nft"
    rules.write_text(
        """table ip quiet {
            chain input {
                type filter hook input priority filter;
                icmp type destination-unreachable drop
            }
            chain output {
                type filter hook output priority filter;
                meta length > 1300 drop
            }
        }"""
    )
    return rules
