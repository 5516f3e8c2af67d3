"""How long a router in a namespace takes to set up and to apply again: ``python -m tests.bench.router``.

Everything happens on a host of the bench's own, see `tests.system.host`, so it needs root and leaves nothing.
Times are in milliseconds, the median and the worst of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import trio

from agents.kvm.runtime import LocalRuntime
from tests.system.host import on_own_host
from zstack_appliance.cloud.l2_network.host_side import apply_bridge
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, bridge_name
from zstack_appliance.cloud.network_service.host_network.host_side import apply_host_network
from zstack_appliance.cloud.network_service.host_network.wire import ApplyHostNetwork, PublicNetwork
from zstack_appliance.cloud.network_service.namespace_router.host_side import apply_router, remove_router
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RemoveRouter,
    RouterSpec,
)

INSTANCE = "be4c40"
L2_GUESTS, L2_PUBLIC, L3 = "a" * 32, "b" * 32, "c" * 32


def router_spec(leases: int) -> RouterSpec:
    """A router with every service and this many NICs."""
    first = int(IPv4Address("10.100.0.16"))
    nics = tuple(
        Lease(
            mac=f"fa:00:00:00:{number // 256:02x}:{number % 256:02x}",
            ip=str(IPv4Address(first + number)),
            hostname=f"vm-{number}",
        )
        for number in range(leases)
    )
    return RouterSpec(
        l3_network_uuid=L3,
        bridge=bridge_name(INSTANCE, L2_GUESTS),
        gateways=("10.100.0.1/20",),
        domain="cloud.example",
        dhcp=DhcpService(leases=nics, dns=("10.100.0.1",)),
        dns=DnsService(upstreams=("203.0.113.53",)),
        public=PublicSide(bridge=bridge_name(INSTANCE, L2_PUBLIC), address="172.30.0.10/24", gateway="172.30.0.1"),
        snat=True,
    )


async def measure(rounds: int, sizes: list[int]) -> list[str]:
    """Set up, apply unchanged, with a lease more and with the translation changed, and remove; per size."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        runtime = LocalRuntime(instance=INSTANCE, data=Path(folder))
        await apply_bridge(ApplyBridge(l2_network_uuid=L2_GUESTS), runtime)
        await apply_bridge(ApplyBridge(l2_network_uuid=L2_PUBLIC, addresses=("172.30.0.1/24",)), runtime)
        public = PublicNetwork(bridge=bridge_name(INSTANCE, L2_PUBLIC), subnet="172.30.0.0/24")
        await apply_host_network(ApplyHostNetwork(public=(public,)), runtime)
        for size in sizes:
            spec, more = router_spec(size), router_spec(size + 1)
            no_snat = msgspec.structs.replace(more, snat=False)
            steps: dict[str, Callable[[], Awaitable[object]]] = {
                "set up": partial(apply_router, ApplyRouter(router=spec), runtime),
                "unchanged": partial(apply_router, ApplyRouter(router=spec), runtime),
                "a lease more": partial(apply_router, ApplyRouter(router=more), runtime),
                "other rules": partial(apply_router, ApplyRouter(router=no_snat), runtime),
                "remove": partial(remove_router, RemoveRouter(l3_network_uuid=L3), runtime),
            }
            times = await _times(steps, rounds)
            lines += [_line(size, name, found) for name, found in times.items()]
    return lines


async def _times(steps: dict[str, Callable[[], Awaitable[object]]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = trio.current_time()
            await step()
            times[name].append((trio.current_time() - began) * 1000)
    return times


def _line(size: int, name: str, times: list[float]) -> str:
    return f"{size:>6} leases  {name:<14} {statistics.median(times):7.1f}  {max(times):7.1f}"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--leases", type=int, nargs="*", default=[1, 100, 1000])
    options = parser.parse_args()

    def work() -> bytes:
        return "\n".join(trio.run(measure, options.rounds, options.leases)).encode()

    print(f"{'':>14}{'milliseconds':<15} {'median':>7}  {'worst':>7}")
    print(on_own_host(work, name="bench", seconds=600).decode())


if __name__ == "__main__":
    main()
