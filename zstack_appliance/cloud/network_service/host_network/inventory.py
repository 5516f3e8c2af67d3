"""What carries the instance id in a host's network: `take`, which looks, and the pure functions behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from zstack_appliance.cloud.network_service.host_network.firewall import our_rules
from zstack_appliance.cloud.network_service.host_network.wire import Daemon, HostNetworkInventory, Interface
from zstack_appliance.hostkit.daemons import PROCESSES, arguments, pids
from zstack_appliance.hostkit.iproute import ip_show, links
from zstack_appliance.hostkit.marks import is_our_interface, is_our_namespace, table_name
from zstack_appliance.kernel.remote import Runtime


async def take(runtime: Runtime) -> HostNetworkInventory:
    """List what is ours, by name and by what is stored inside, without any record of our own."""
    instance = runtime.instance
    rows, namespaces = await ip_show(runtime, ["link show", "netns list"], details=True)
    named = [row["name"] for row in namespaces]
    return HostNetworkInventory(
        interfaces=tuple(
            Interface(name=name, kind=link.linkinfo.info_kind or "", alias=link.ifalias, master=link.master)
            for name, link in sorted(links(rows).items())
            if is_our_interface(name, instance)
        ),
        namespaces=tuple(sorted(name for name in named if is_our_namespace(name, instance))),
        tables=tuple(table for table in await tables(runtime) if table.split()[1] == table_name(instance)),
        rules=tuple(sorted(rule.where for rule in await our_rules(runtime))),
        daemons=tuple(daemons(instance)),
        folders=tuple(_folders(instance, runtime.data / "network")),
    )


def daemons(instance: str, processes: Path = PROCESSES) -> list[Daemon]:
    """Every dnsmasq whose configuration belongs to a router of ours, also in a namespace without a name.

    Args:
        instance: the appliance's id.
        processes: the kernel's table of processes.
    """
    served = ((pid, namespace_served(pid, instance, processes)) for pid in pids(processes))
    found = [Daemon(pid=pid, namespace=namespace) for pid, namespace in served if namespace is not None]
    return sorted(found, key=lambda daemon: (daemon.namespace, daemon.pid))


def namespace_served(pid: int, instance: str, processes: Path = PROCESSES) -> str | None:
    """The router that a process is the dnsmasq of; None when it is something else or has ended."""
    started = arguments(pid, processes)
    if started and started[0].endswith("dnsmasq"):
        for argument in started[1:]:
            option, _, value = argument.partition("=")
            folder = Path(value).parent.name
            if option == "--conf-file" and is_our_namespace(folder, instance):
                return folder
    return None


def other_instances(tables: Sequence[str], instance: str) -> list[str]:
    """Ids of other appliances at work on the host, from the names of its tables."""
    found = (re.fullmatch(r"\w+ zs_([0-9a-f]{6})", table) for table in tables)
    return sorted({match[1] for match in found if match is not None} - {instance})


async def tables(runtime: Runtime) -> list[str]:
    """Every table of the host's own network: family and name."""
    listed = await runtime.run(["nft", "--json", "list", "tables"])
    rows = (row["table"] for row in json.loads(listed.stdout)["nftables"] if "table" in row)
    return sorted(f"{row['family']} {row['name']}" for row in rows)


def _folders(instance: str, parent: Path) -> list[str]:
    if not parent.is_dir():
        return []
    return sorted(folder.name for folder in parent.iterdir() if is_our_namespace(folder.name, instance))
