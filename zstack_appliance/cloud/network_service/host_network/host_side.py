"""A host's own network: the half that runs there."""

from __future__ import annotations

import shutil
from pathlib import Path

import trio

from zstack_appliance.cloud.network_service.host_network import firewall, forwarding, inventory, simulated
from zstack_appliance.cloud.network_service.host_network.check import faults
from zstack_appliance.cloud.network_service.host_network.nft import table_body
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    Daemon,
    HostNetworkInventory,
    HostNetworkState,
    ListHostNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.hostkit.daemons import end, held
from zstack_appliance.hostkit.marks import table_name
from zstack_appliance.hostkit.nft import ensure_table, remove_table
from zstack_appliance.kernel.remote import HostCommandFailed, HostSide, Runtime


async def apply_host_network(command: ApplyHostNetwork, runtime: Runtime) -> HostNetworkState:
    """Have the host forward and masquerade as described; see `ApplyHostNetwork`.

    Raises:
        HostCommandFailed: the description cannot be followed, with every reason; nothing was changed.
    """
    if found := faults(command, runtime.instance):
        raise HostCommandFailed("; ".join(found))
    # Switching on comes first, because it makes the folder; what it opens is nothing yet.
    changed = [*await forwarding.switch_on(runtime)]
    table = f"ip {table_name(runtime.instance)}"
    record = runtime.data / "network" / "table.json"
    if await ensure_table(runtime, table, table_body(command.public), record=record):
        changed.append(f"table {table} replaced")
    opened, notes = await firewall.open_firewalls(runtime)
    return HostNetworkState(changed=(*changed, *opened), notes=tuple(notes))


async def list_host_network(_: ListHostNetwork, runtime: Runtime) -> HostNetworkInventory:
    """List what is ours; see `ListHostNetwork`."""
    return await inventory.take(runtime)


async def purge_host_network(_: PurgeHostNetwork, runtime: Runtime) -> HostNetworkState:
    """Have nothing of ours left; see `PurgeHostNetwork`. It goes by the marks alone, so it may be repeated.

    Raises:
        HostCommandFailed: something would not go; it is named, and the rest has gone.
    """
    ours = await inventory.take(runtime)
    changed = [f"dnsmasq of {one.namespace} stopped" for one in ours.daemons if await _end(one, runtime)]
    removal = _removal(ours)
    if removal:
        # By force, so that what vanishes by itself meanwhile, as a tap does with its VM, stops nothing.
        lines = "".join(f"{line}\n" for line in removal)
        await runtime.run(["ip", "-force", "-batch", "-"], stdin=lines, check=False)
    changed += [*removal, *await firewall.close_firewalls(runtime)]
    for table in ours.tables:
        await remove_table(runtime, table)
        changed.append(f"table {table} deleted")
    others = inventory.other_instances(await inventory.tables(runtime), runtime.instance)
    if not others:
        changed += await forwarding.restore(runtime)
    await trio.to_thread.run_sync(_remove_folder, runtime.data / "network")
    if (left := await inventory.take(runtime)) != HostNetworkInventory():
        raise HostCommandFailed(f"the host's network still holds what is ours: {left}; purge once more")
    notes = tuple(f"ip_forward stays as it is, for the appliance {other} on this host" for other in others)
    return HostNetworkState(changed=tuple(changed), notes=notes)


def _removal(ours: HostNetworkInventory) -> list[str]:
    """The `ip` commands that remove what is ours: ports, then bridges, then namespaces without links."""
    ports = [one.name for one in ours.interfaces if one.kind != "bridge"]
    bridges = [one.name for one in ours.interfaces if one.kind == "bridge"]
    return [
        *(f"link delete dev {name}" for name in (*ports, *bridges)),
        *(f"netns delete {namespace}" for namespace in ours.namespaces),
    ]


async def _end(daemon: Daemon, runtime: Runtime) -> bool:
    """Stop a daemon; False when it had ended already."""
    with held(daemon.pid) as pidfd:
        # Only now is the process sure to stay itself.
        if pidfd is None or inventory.namespace_served(daemon.pid, runtime.instance) is None:
            return False
        await end(pidfd)
        return True


def _remove_folder(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


HOST_SIDE = HostSide(
    real={
        ApplyHostNetwork: apply_host_network,
        ListHostNetwork: list_host_network,
        PurgeHostNetwork: purge_host_network,
    },
    simulated=simulated.HANDLERS,
)
