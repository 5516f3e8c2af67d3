"""The network of a host, seen by guests: bridges, the router in a namespace, the way out, and the way back."""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from agents.kvm.runtime import LocalRuntime
from agents.process import run
from tests.eventually import eventually
from tests.system.world import World
from zstack_appliance.cloud.l2_network import host_side as l2
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, RemoveBridge, bridge_name
from zstack_appliance.cloud.network_service.host_network import host_side as host
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    HostNetworkInventory,
    ListHostNetwork,
    PublicNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.cloud.network_service.namespace_router import host_side as router
from zstack_appliance.cloud.network_service.namespace_router.place import place_of
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RemoveRouter,
    RouterSpec,
    RouterState,
)
from zstack_appliance.kernel.daemons import arguments
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

INSTANCE = "ab12cd"
L2_GUESTS, L2_PUBLIC, L3 = "1" * 32, "2" * 32, "3" * 32
GUESTS, PUBLIC = bridge_name(INSTANCE, L2_GUESTS), bridge_name(INSTANCE, L2_PUBLIC)
NAMESPACE = f"zs-{INSTANCE}-3333333"
DATA = Path("/run/appliance")
"""The test's own /run: any user may pass through to it, as through /var/lib, and it goes with the host."""

GATEWAY, ROUTER, HOST = "192.168.77.1", "172.30.0.10", "172.30.0.1"
NEIGHBOUR, UPLINK, INTERNET = "172.30.0.50", "203.0.113.2", "203.0.113.1"

WEB = Lease(mac="fa:00:00:00:00:01", ip="192.168.77.11", hostname="web")
DB = Lease(mac="fa:00:00:00:00:02", ip="192.168.77.12", hostname="db")

SPEC = RouterSpec(
    l3_network_uuid=L3,
    bridge=GUESTS,
    gateways=(f"{GATEWAY}/24",),
    mtu=1450,
    domain="lab.example",
    dhcp=DhcpService(leases=(WEB, DB), dns=(GATEWAY,)),
    dns=DnsService(upstreams=(INTERNET,)),
    public=PublicSide(bridge=PUBLIC, address=f"{ROUTER}/24", gateway=HOST),
    snat=True,
)


class CrashError(BaseException):
    """The appliance ends here; only what is on the host remains."""


@dataclass(frozen=True, slots=True)
class CrashingRuntime(LocalRuntime):
    """A runtime under which the appliance ends just before it would run its n-th program."""

    before: int = 1
    ran: list[str] = field(default_factory=list)

    async def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """Run a program, or crash."""
        self.ran.append(argv[0])
        if len(self.ran) == self.before:
            raise CrashError
        return await LocalRuntime.run(self, argv, **options)


@dataclass(frozen=True)
class Site:
    """A host with bridges, an internet behind its uplink, and nothing else yet."""

    runtime: LocalRuntime
    world: World

    async def apply(self, spec: RouterSpec = SPEC) -> RouterState:
        """Apply a router as the transport would: encoded and decoded, so that forms are checked."""
        decoded = msgspec.json.decode(msgspec.json.encode(ApplyRouter(router=spec)), type=ApplyRouter)
        return await router.apply_router(decoded, self.runtime)

    async def guest(self, lease: Lease, name: str) -> None:
        """Plug a guest into the guests' network."""
        await self.world.machine(name, end=f"zt{INSTANCE}{lease.mac[-2:]}", mac=lease.mac, bridge=GUESTS)

    async def neighbour(self) -> None:
        """Plug a machine into the public network."""
        await self.world.machine("neighbour", end=f"zt{INSTANCE}ff", bridge=PUBLIC)
        await self.world.address("neighbour", f"{NEIGHBOUR}/24", gateway=HOST)

    async def inventory(self) -> HostNetworkInventory:
        """What is ours on the host."""
        return await host.list_host_network(ListHostNetwork(), self.runtime)

    async def dnsmasq(self) -> int:
        """The process id of the router's dnsmasq."""
        [daemon] = (await self.inventory()).daemons
        return daemon.pid


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A host that is connected to the internet and has its bridges, but no router."""
    world = World(folder=tmp_path)
    await world.machine("internet", end="uplink0")
    await world.address("internet", f"{INTERNET}/24")
    await run(["ip", "addr", "add", f"{UPLINK}/24", "dev", "uplink0"])
    await run(["ip", "route", "add", "default", "via", INTERNET])
    runtime = LocalRuntime(instance=INSTANCE, data=DATA)
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450), runtime)
    await l2.apply_bridge(ApplyBridge(l2_network_uuid=L2_PUBLIC, addresses=(f"{HOST}/24",)), runtime)
    public = PublicNetwork(bridge=PUBLIC, subnet="172.30.0.0/24")
    await host.apply_host_network(ApplyHostNetwork(public=(public,)), runtime)
    return Site(runtime=runtime, world=world)


async def everything() -> list[str]:
    """The whole network state of the host, line by line: what a purge has to leave equal."""
    settings = await _lines("sysctl", "-a", "-r", "^net[.]")
    moving = ("nf_conntrack_count", "ndisc_notify", "neigh", "random", "tcp_mem", "route_localnet")
    return [
        *(json.dumps(link) for link in json.loads((await run(["ip", "-j", "addr"])).stdout)),
        *await _lines("ip", "route", "show", "table", "all"),
        *await _lines("nft", "-s", "list", "ruleset"),
        *await _lines("ip", "netns", "list"),
        *(line for line in settings if not any(word in line for word in moving)),
    ]


def differences(before: list[str], after: list[str]) -> list[str]:
    """Lines that came and lines that went."""
    return [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:2] not in ("--", "++")]


async def unchanged(before: list[str]) -> bool:
    """Whether the network is as it was; the difference is in the failure's text."""
    assert differences(before, await everything()) == []
    return True


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


async def test_a_bridge_with_something_attached_stays(site: Site) -> None:
    await site.apply()
    with pytest.raises(HostCommandFailed, match=f"zi{INSTANCE}3333333"):
        await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)
    await router.remove_router(RemoveRouter(l3_network_uuid=L3), site.runtime)
    assert (await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)).changed
    assert (await l2.remove_bridge(RemoveBridge(l2_network_uuid=L2_GUESTS), site.runtime)).changed == ()


async def test_an_interface_that_the_host_needs_is_not_joined(site: Site) -> None:
    before = await everything()
    for interface, reason in (("uplink0", "default route"), ("lo", "127.0.0.1"), ("nothing0", "no such")):
        command = ApplyBridge(l2_network_uuid=L2_GUESTS, mtu=1450, physical_interface=interface)
        with pytest.raises(HostCommandFailed, match=reason if reason != "no such" else "nothing0"):
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


def owner_of(pid: int) -> int:
    """Whom a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


async def _lines(*argv: str) -> list[str]:
    return (await run(argv)).stdout.splitlines()


async def _master(interface: str) -> str | None:
    [link] = json.loads((await run(["ip", "-j", "link", "show", interface])).stdout)
    master: str | None = link.get("master")
    return master
