"""The router in a namespace as guests see it, and as it mends itself."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio

from agents.kvm.runtime import LocalRuntime
from agents.process import run
from tests.eventually import eventually
from tests.system.router_site import (
    DB,
    GATEWAY,
    HOST,
    INSTANCE,
    INTERNET,
    L2_GUESTS,
    L3,
    NAMESPACE,
    NEIGHBOUR,
    PUBLIC,
    ROUTER,
    SPEC,
    UPLINK,
    WEB,
    CrashError,
    CrashingRuntime,
    Site,
    everything,
    make_site,
    unchanged,
)
from zstack_appliance.cloud.l2_network import host_side as l2
from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.cloud.network_service.host_network import host_side as host
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    PublicNetwork,
)
from zstack_appliance.cloud.network_service.namespace_router import host_side as router
from zstack_appliance.cloud.network_service.namespace_router.place import place_of
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    DhcpService,
    Lease,
    PublicSide,
    RemoveRouter,
)
from zstack_appliance.hostkit.daemons import arguments
from zstack_appliance.kernel.remote import HostCommandFailed


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A host that is connected to the internet and has its bridges, but no router."""
    return await make_site(tmp_path)


async def test_a_guest_gets_its_address_finds_others_by_name_and_reaches_the_world(site: Site) -> None:
    world = site.world
    await site.guest(WEB, "web")
    await site.guest(DB, "db")
    await site.neighbour()
    await site.apply()

    told = await world.lease("web")
    assert told is not None
    expected = {
        "ip": WEB.ip,
        "mask": "24",
        "router": GATEWAY,
        "dns": GATEWAY,
        "hostname": "web",
        "domain": "lab.example",
        "mtu": "1450",
        "lease": "86400",
    }
    assert {name: told.get(name) for name in expected} == expected

    assert DB.ip in await world.lookup("web", "db", GATEWAY)
    assert DB.ip in await world.lookup("web", "db.lab.example", GATEWAY)
    assert "db.lab.example" in await world.lookup("web", DB.ip, GATEWAY)
    assert await world.lease("db") is not None
    await world.on("web", "ping", "-c1", "-W2", DB.ip)

    async with world.server("neighbour", 8000), world.server("internet", 8000):
        assert await world.seen_as("web", NEIGHBOUR, 8000) == ROUTER
        assert await world.seen_as("web", INTERNET, 8000) == UPLINK


async def test_names_of_the_world_are_asked_upstream(site: Site, tmp_path: Path) -> None:
    await site.guest(WEB, "web")
    await site.apply()
    await site.world.lease("web")
    upstream = ["--no-resolv", "--no-hosts", "--port=53", f"--pid-file={tmp_path}/upstream.pid", "--user=root"]
    await site.world.on("internet", "dnsmasq", *upstream, "--address=/zstack.example/203.0.113.80")
    assert "203.0.113.80" in await site.world.lookup("web", "www.zstack.example", GATEWAY)
    # Our own domain never leaves, whatever upstream would say.
    assert "NXDOMAIN" in await site.world.lookup("web", "unknown.lab.example", GATEWAY)


async def test_a_second_apply_changes_nothing(site: Site) -> None:
    first = await site.apply()
    assert first.changed
    pid = await site.dnsmasq()
    inside = ["ip", "netns", "exec", NAMESPACE, "nft", "-a", "list", "ruleset"]
    before = (await everything(), (await run(inside)).stdout)

    second = await site.apply()
    assert second.changed == ()
    assert (await everything(), (await run(inside)).stdout) == before
    assert await site.dnsmasq() == pid

    bridge = await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450), site.runtime)
    assert bridge.changed == ()
    public = PublicNetwork(bridge=PUBLIC, subnet="172.30.0.0/24")
    again = await host.apply_host_network(ApplyHostNetwork(public=(public,)), site.runtime)
    assert again.changed == ()


async def test_changes_keep_leases_and_connections(site: Site) -> None:
    world = site.world
    await site.guest(WEB, "web")
    await site.neighbour()
    await site.apply()
    await world.lease("web")
    pid = await site.dnsmasq()
    place = place_of(L3, instance=INSTANCE, data=site.runtime.data)
    async with world.server("neighbour", 8000), world.connection("web", NEIGHBOUR, 8000) as talk:
        assert await talk.hear() == ROUTER
        await talk.say("before")
        assert await talk.hear() == "before"

        new = Lease(mac="fa:00:00:00:00:03", ip="192.168.77.13", hostname="new")
        dhcp = DhcpService(leases=(WEB, DB, new), dns=(GATEWAY,))
        state = await site.apply(msgspec.structs.replace(SPEC, dhcp=dhcp))
        assert state.changed == ("dnsmasq read its lists again",)
        assert await site.dnsmasq() == pid
        await site.guest(new, "new")
        told = await world.lease("new")
        assert told is not None
        assert told["ip"] == new.ip
        assert WEB.mac in (place.folder / "leases").read_text()

        # A second CIDR changes links, filter, translation and dnsmasq's configuration.
        wider = msgspec.structs.replace(SPEC, dhcp=dhcp, gateways=(f"{GATEWAY}/24", "192.168.78.1/24"))
        state = await site.apply(wider)
        assert "dnsmasq restarted" in state.changed
        await talk.say("after")
        assert await talk.hear() == "after"
        assert WEB.mac in (place.folder / "leases").read_text()


async def test_an_address_goes_to_its_next_owner_at_once(site: Site) -> None:
    await site.guest(WEB, "web")
    await site.apply()
    assert await site.world.lease("web") is not None
    heir = Lease(mac="fa:00:00:00:00:09", ip=WEB.ip, hostname="heir")
    await site.guest(heir, "heir")
    # The same configuration, so that only the lease in the way is a reason to restart.
    state = await site.apply(msgspec.structs.replace(SPEC, dhcp=DhcpService(leases=(heir,), dns=(GATEWAY,))))
    assert state.changed == ("dnsmasq restarted",)
    told = await site.world.lease("heir")
    assert told is not None
    assert told["ip"] == WEB.ip
    assert await site.world.lease("web", attempts=1) is None


async def test_a_nic_on_a_second_network_is_told_no_router_and_no_name(site: Site) -> None:
    second = msgspec.structs.replace(WEB, default_network=False)
    await site.guest(second, "web")
    await site.apply(msgspec.structs.replace(SPEC, dhcp=DhcpService(leases=(second,), dns=(GATEWAY,))))
    told = await site.world.lease("web")
    assert told is not None
    assert told["ip"] == WEB.ip
    assert "router" not in told
    assert "hostname" not in told


async def test_strangers_get_no_address(site: Site) -> None:
    stranger = Lease(mac="fa:00:00:00:00:66", ip="192.168.77.66")
    await site.guest(stranger, "stranger")
    await site.apply()
    assert await site.world.lease("stranger", attempts=2) is None
    # Nor a refusal: another network's router on the same L2 network may know it.
    script = [sys.executable, str(Path(__file__).with_name("dhcp_request.py"))]
    for address in (stranger.ip, "10.55.0.5"):
        asked = await site.world.on("stranger", *script, stranger.mac, address)
        assert asked.stdout.strip() == "silence"
    await site.guest(WEB, "web")
    asked = await site.world.on("web", *script, WEB.mac, WEB.ip)
    assert asked.stdout.strip() == "5"


async def test_a_killed_dnsmasq_is_mended_by_the_next_apply(site: Site) -> None:
    await site.guest(WEB, "web")
    await site.apply()
    pid = await site.dnsmasq()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: arguments(pid) == (), within=5)
    assert (await site.apply()).changed == ("dnsmasq started",)
    assert await site.world.lease("web") is not None


async def test_a_pid_file_that_names_another_process_harms_nobody(site: Site) -> None:
    await site.apply()
    pid = await site.dnsmasq()
    file = place_of(L3, instance=INSTANCE, data=site.runtime.data).folder / "dnsmasq.pid"
    file.write_text(f"{os.getpid()}\n")
    assert (await site.apply()).changed == ()
    assert await site.dnsmasq() == pid
    await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
    assert (await site.inventory()).daemons == ()


DAMAGES = {
    "the link is gone": ["ip", "link", "del", f"zi{INSTANCE}3333333"],
    "the public link is gone": ["ip", "link", "del", f"zo{INSTANCE}3333333"],
    "the link has another name": ["ip", "link", "set", f"zi{INSTANCE}3333333", "name", "lost0"],
    "the namespace has no name": ["ip", "netns", "del", NAMESPACE],
    "the rules are flushed": ["ip", "netns", "exec", NAMESPACE, "nft", "flush", "ruleset"],
    "a rule is added": [
        *["ip", "netns", "exec", NAMESPACE],
        *["nft", "insert", "rule", "ip", f"zs_{INSTANCE}", "forward", "drop"],
    ],
    "an address is gone": ["ip", "-n", NAMESPACE, "addr", "del", f"{GATEWAY}/24", "dev", "lan"],
    "the route is gone": ["ip", "-n", NAMESPACE, "route", "del", "default"],
    "a link is down": ["ip", "-n", NAMESPACE, "link", "set", "wan", "down"],
    "the bridge has let go": ["ip", "link", "set", f"zi{INSTANCE}3333333", "nomaster"],
    "it does not forward": ["ip", "netns", "exec", NAMESPACE, "sysctl", "-w", "net.ipv4.ip_forward=0"],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_whatever_is_broken_the_next_apply_mends(site: Site, damage: list[str]) -> None:
    await site.guest(WEB, "web")
    await site.neighbour()
    await site.apply()
    await run(damage)
    assert (await site.apply()).changed
    assert (await site.world.lease("web")) is not None
    async with site.world.server("neighbour", 8000):
        assert await site.world.seen_as("web", NEIGHBOUR, 8000) == ROUTER
    assert (await site.apply()).changed == ()


@pytest.mark.parametrize("damage", [None, "the link is gone", "the namespace has no name"])
async def test_a_crash_at_any_moment_is_mended_by_the_next_apply(site: Site, damage: str | None) -> None:
    await site.guest(WEB, "web")
    crashes = 0
    while True:
        if damage is not None:
            await site.apply()
            await run(DAMAGES[damage])
        doomed = CrashingRuntime(instance=INSTANCE, data=site.runtime.data, before=crashes + 1)
        try:
            await router.apply_router(ApplyRouter(router=SPEC), doomed)
        except CrashError:
            crashes += 1
            await site.apply()
            assert (await site.apply()).changed == ()
            assert await site.world.lease("web") is not None
            await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
        else:
            break
    assert crashes >= 5


async def test_a_crash_while_removing_is_mended_by_the_next_removal(site: Site) -> None:
    bare = await site.inventory()
    crashes = 0
    while True:
        await site.apply()
        doomed = CrashingRuntime(instance=INSTANCE, data=site.runtime.data, before=crashes + 1)
        try:
            await router.remove_router(RemoveRouter(l3_network_uuid=L3), doomed)
        except CrashError:
            crashes += 1
            await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
            assert await site.inventory() == bare
        else:
            break
    assert crashes >= 2


async def test_removing_leaves_nothing_and_may_be_repeated(site: Site) -> None:
    before = await everything()
    await site.apply()
    pid = await site.dnsmasq()
    removed = await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
    assert removed.changed
    assert arguments(pid) == ()
    # The kernel notices some time later that a bridge without ports has no carrier.
    await eventually(partial(unchanged, before), within=5)
    assert not place_of(L3, instance=INSTANCE, data=site.runtime.data).folder.exists()
    assert (await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)).changed == ()


async def test_services_that_the_network_does_not_have_are_absent(site: Site) -> None:
    await site.guest(WEB, "web")
    await site.neighbour()
    await site.apply()
    bare = msgspec.structs.replace(SPEC, dhcp=None, dns=None, public=None, snat=False)
    assert "dnsmasq stopped" in (await site.apply(bare)).changed
    inventory = await site.inventory()
    assert inventory.daemons == ()
    assert f"zo{INSTANCE}3333333" not in [one.name for one in inventory.interfaces]
    assert await site.world.lease("web", attempts=1) is None
    no_snat = msgspec.structs.replace(SPEC, snat=False)
    await site.apply(no_snat)
    await site.world.lease("web")
    async with site.world.server("neighbour", 8000):
        assert await site.world.seen_as("web", NEIGHBOUR, 8000, within=1) is None


async def test_dhcp_alone_tells_the_networks_own_name_servers(site: Site) -> None:
    await site.guest(WEB, "web")
    dhcp = DhcpService(leases=(WEB,), dns=("203.0.113.53", "203.0.113.54"))
    await site.apply(msgspec.structs.replace(SPEC, dhcp=dhcp, dns=None))
    told = await site.world.lease("web")
    assert told is not None
    assert told["dns"] == "203.0.113.53 203.0.113.54"
    assert await site.world.lookup("web", "web", GATEWAY) == ""


async def test_many_routers_are_made_at_once(site: Site) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(8):
            spec = msgspec.structs.replace(
                SPEC,
                l3_network_uuid=f"{number}" * 32,
                gateways=(f"10.{number}.0.1/24",),
                dhcp=None,
                public=PublicSide(bridge=PUBLIC, address=f"172.30.0.{100 + number}/24", gateway=HOST),
            )
            nursery.start_soon(site.apply, spec)
    inventory = await site.inventory()
    assert len(inventory.namespaces) == len(inventory.daemons) == 8
    await site.neighbour()
    for number in range(8):
        await site.world.on("neighbour", "ping", "-c1", "-W2", f"172.30.0.{100 + number}")


async def test_dnsmasq_gives_up_its_rights_where_it_can(site: Site, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    private = Site(runtime=LocalRuntime(instance=INSTANCE, data=shut / "data"), world=site.world)
    assert "root" in (await private.apply()).notes[0]
    assert owner_of(await site.dnsmasq()) == 0
    await router.remove_router(RemoveRouter(l3_network_uuid=L3), private.runtime)
    assert (await site.apply()).notes == ()
    assert owner_of(await site.dnsmasq()) != 0
    # It still reads its lists again.
    await site.guest(DB, "db")
    moved = msgspec.structs.replace(DB, ip="192.168.77.99")
    await site.apply(msgspec.structs.replace(SPEC, dhcp=DhcpService(leases=(moved,))))
    told = await site.world.lease("db")
    assert told is not None
    assert told["ip"] == moved.ip


async def test_two_networks_whose_uuids_begin_alike_do_not_share_a_router(site: Site) -> None:
    await site.apply()
    twin = msgspec.structs.replace(SPEC, l3_network_uuid="3" * 7 + "4" * 25)
    with pytest.raises(HostCommandFailed, match="begins like"):
        await site.apply(twin)
    gone = await router.remove_router(RemoveRouter(l3_network_uuid=twin.l3_network_uuid), site.runtime)
    assert gone.changed == ()
    assert await site.dnsmasq()


def owner_of(pid: int) -> int:
    """Whom a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid
