"""What KVM hosts add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.kvm.add import add_kvm_host
from zstack_appliance.cloud.host.kvm.schema import KvmHost
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="host.kvm",
    resources=(KvmHost,),
    handlers=(add_kvm_host,),
    configs=(
        GlobalConfig(
            "kvm",
            "reservedMemory",
            "1G",
            "Memory that each host keeps for itself, in bytes or with a unit.",
            int,
            low=0,
            bind=("HostVO", "ClusterVO", "ZoneVO"),
        ),
    ),
)
