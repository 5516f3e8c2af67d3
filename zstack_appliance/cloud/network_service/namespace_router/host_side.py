"""Routers on a host: the half of the namespace provider that runs there."""

from __future__ import annotations

import shutil

import trio

from zstack_appliance.cloud.network_service.namespace_router import links, simulated
from zstack_appliance.cloud.network_service.namespace_router.check import faults, missing_bridges
from zstack_appliance.cloud.network_service.namespace_router.dnsmasq_process import (
    apply_dnsmasq,
    forget_loaded,
    reachable,
    remove_dnsmasq,
)
from zstack_appliance.cloud.network_service.namespace_router.nft import table_body
from zstack_appliance.cloud.network_service.namespace_router.place import Place, place_of
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    RemoveRouter,
    RouterSpec,
    RouterState,
)
from zstack_appliance.hostkit import iproute
from zstack_appliance.hostkit.files import ensure_folder
from zstack_appliance.hostkit.nft import ensure_table
from zstack_appliance.kernel.remote import HostCommandFailed, HostSide, Runtime

SETTINGS = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
    # Comes last: a namespace that forwards has the others too.
    "net.ipv4.ip_forward=1",
)
"""Kernel settings inside a router: it routes IPv4, and no IPv6 may pass its filter unseen."""


async def apply_router(command: ApplyRouter, runtime: Runtime) -> RouterState:
    """Have the router as described; see `ApplyRouter`.

    A failure leaves what was done so far; the next apply goes on from there, and `RemoveRouter` removes it.

    Raises:
        HostCommandFailed: the description cannot be followed, with every reason and before anything is
            changed; or a tool of the host failed.
    """
    spec = command.router
    place = place_of(spec.l3_network_uuid, instance=runtime.instance, data=runtime.data)
    refuse(faults(spec, runtime.instance))
    seen = await look(place, runtime)
    refuse(_host_faults(spec, place, seen))
    planned = links.plan(spec, place, seen)
    await trio.to_thread.run_sync(ensure_folder, place.folder)
    if planned.new_lan:
        forget_loaded(place)
    await iproute.ip_apply(runtime, planned.host)
    changed = [*planned.host]
    if planned.settings:
        settings = iproute.in_namespace(place.namespace, ["sysctl", "-e", "-q", "-w", *SETTINGS])
        await runtime.run(settings)
        changed += SETTINGS
    # The filter is in force before the links come up.
    if await ensure_table(runtime, place.table, table_body(spec), record=place.table_record, namespace=place.namespace):
        changed.append(f"table {place.table} replaced")
    await iproute.ip_apply(runtime, planned.inside, namespace=place.namespace)
    changed += planned.inside
    changed += await apply_dnsmasq(spec, place, runtime)
    return RouterState(namespace=place.namespace, changed=tuple(changed), notes=_notes(spec, place))


async def remove_router(command: RemoveRouter, runtime: Runtime) -> RouterState:
    """Have nothing of the router; see `RemoveRouter`. A router that is absent is no error."""
    place = place_of(command.l3_network_uuid, instance=runtime.instance, data=runtime.data)
    seen = await look(place, runtime)
    if (other := links.stranger(place, seen)) is not None:
        # Ours was never made: the names were taken.
        return RouterState(namespace=place.namespace, notes=(f"its names belong to the L3 network {other}",))
    # dnsmasq comes first: a namespace lives on, nameless, as long as a process is in it.
    changed = [*await remove_dnsmasq(place)]
    removal = links.removal(place, seen)
    await iproute.ip_apply(runtime, removal)
    await trio.to_thread.run_sync(_remove_folder, place)
    return RouterState(namespace=place.namespace, changed=(*changed, *removal))


async def look(place: Place, runtime: Runtime) -> links.Seen:
    """What the host has of a router."""
    ends, bridges, namespaces = await iproute.ip_show(
        runtime, ["link show type veth", "link show type bridge", "netns list"]
    )
    seen = links.Seen(
        ends=iproute.links(ends),
        bridges=iproute.links(bridges),
        named=any(row["name"] == place.namespace for row in namespaces),
    )
    return await _look_inside(place, seen, runtime) if seen.named else seen


async def _look_inside(place: Place, seen: links.Seen, runtime: Runtime) -> links.Seen:
    questions = ["address show", "route show default", "netconf show"]
    try:
        inside, defaults, settings = await iproute.ip_show(runtime, questions, namespace=place.namespace)
    except HostCommandFailed:
        # A name that a crash left without its namespace; the plan replaces it.
        return seen
    found = iproute.routes(defaults)
    return links.Seen(
        ends=seen.ends,
        bridges=seen.bridges,
        named=True,
        inside=iproute.links(inside),
        default=found[0] if found else None,
        forwarding=iproute.forwarding(settings).get("all", False),
    )


def refuse(found: list[str]) -> None:
    """Raise when there are faults.

    Raises:
        HostCommandFailed: with every fault.
    """
    if found:
        raise HostCommandFailed(f"the router cannot be made: {'; '.join(found)}")


def _host_faults(spec: RouterSpec, place: Place, seen: links.Seen) -> list[str]:
    found = missing_bridges(spec, seen.bridges.keys())
    if (other := links.stranger(place, seen)) is not None:
        found.append(
            f"its names on the host belong to the L3 network {other}, whose uuid begins like that of "
            f"{place.l3_network_uuid}: delete this L3 network and create it again, so that it gets another uuid"
        )
    return found


def _notes(spec: RouterSpec, place: Place) -> tuple[str, ...]:
    if (spec.dhcp is None and spec.dns is None) or reachable(place.folder):
        return ()
    text = (
        f"dnsmasq runs as root, because other users cannot pass through to {place.folder}: "
        "put the data folder where every folder above it may be passed (chmod o+x)"
    )
    return (text,)


def _remove_folder(place: Place) -> None:
    if place.folder.exists():
        shutil.rmtree(place.folder)


HOST_SIDE = HostSide(real={ApplyRouter: apply_router, RemoveRouter: remove_router}, simulated=simulated.HANDLERS)
