"""What is stored of a KVM host beyond any host."""

from __future__ import annotations

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.schema import resource


@resource(
    wire="org.zstack.kvm",
    kind="KVM",
    vo="KVMHostVO",
    inventory="KVMHostInventory",
)
class KvmHost(Host, frozen=True, kw_only=True):
    """A Linux machine with libvirt. The login is how a remote one would be reached; the local one needs none."""

    username: str
    ssh_port: int
