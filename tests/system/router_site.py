"""A host with an internet behind its uplink and bridges for guests, for the tests of its network.

Primitives: `make_site`, `Site`, `SPEC` (the router that the tests begin with), `everything` (the whole network
state, to compare), `CrashingRuntime` (ends the appliance at a chosen moment).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from agents.kvm.runtime import LocalRuntime
from agents.process import run
from tests.system.world import World
from zstack_appliance.cloud.l2_network import host_side as l2
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, bridge_name
from zstack_appliance.cloud.network_service.host_network import host_side as host
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    HostNetworkInventory,
    ListHostNetwork,
    PublicNetwork,
)
from zstack_appliance.cloud.network_service.namespace_router import host_side as router
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RouterSpec,
    RouterState,
)
from zstack_appliance.kernel.remote import Completed

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


async def make_site(tmp_path: Path) -> Site:
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
    settings = await lines("sysctl", "-a", "-r", "^net[.]")
    moving = ("nf_conntrack_count", "ndisc_notify", "neigh", "random", "tcp_mem", "route_localnet")
    return [
        *(json.dumps(link) for link in json.loads((await run(["ip", "-j", "addr"])).stdout)),
        *await lines("ip", "route", "show", "table", "all"),
        *await lines("nft", "-s", "list", "ruleset"),
        *await lines("ip", "netns", "list"),
        *(line for line in settings if not any(word in line for word in moving)),
    ]


def differences(before: list[str], after: list[str]) -> list[str]:
    """Lines that came and lines that went."""
    return [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:2] not in ("--", "++")]


async def unchanged(before: list[str]) -> bool:
    """Whether the network is as it was; the difference is in the failure's text."""
    assert differences(before, await everything()) == []
    return True


async def lines(*argv: str) -> list[str]:
    return (await run(argv)).stdout.splitlines()
