"""Add a KVM host."""

from __future__ import annotations

from ipaddress import ip_address

from zstack_appliance.cloud.host.add import add_host, draft_host
from zstack_appliance.cloud.host.kvm.messages import AddKvmHost
from zstack_appliance.cloud.host.kvm.schema import KvmHost
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.plugin import handles


@handles(AddKvmHost, queue=lambda m: Host.key(m.resource_uuid))
async def add_kvm_host(m: AddKvmHost, cloud: Cloud) -> Host:
    """Serve `AddKvmHost`."""
    refuse(_remote_fault(m.management_ip))
    host = await draft_host(KvmHost, m, cloud, hypervisor_type="KVM", username=m.username, ssh_port=m.ssh_port)
    return await add_host(host, cloud)


def _remote_fault(address: str) -> Fault | None:
    """Only this machine is served: its agent runs in this process, with no SSH between."""
    try:
        local = ip_address(address).is_loopback
    except ValueError:
        local = address == "localhost"
    if local:
        return None
    return Fault(
        "managementIp",
        f"managementIp[{address}] is another machine; this version serves the machine it runs on (127.0.0.1)",
    )
