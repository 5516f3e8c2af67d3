"""What hosts of any hypervisor add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.global_config.messages import SettingChanged
from zstack_appliance.cloud.host import add, command, connect, inspect, service, track
from zstack_appliance.cloud.host.configs import CONFIGS
from zstack_appliance.cloud.host.messages import DeleteHost, UpdateHost
from zstack_appliance.cloud.host.schema import Host, HostCharge
from zstack_appliance.cloud.host.tags import TAGS
from zstack_appliance.cloud.host.ui import PRESENTATIONS
from zstack_appliance.kernel.meter import Gauge
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.standard import deletes, updates

GAUGES = (
    Gauge("zstack_hosts", "Hosts, by whether they answer.", Host, by=("status",)),
    Gauge("zstack_cpu_capacity", "Virtual CPUs of all hosts.", Host, total="total_cpu_capacity"),
    Gauge("zstack_cpu_available", "Virtual CPUs that no VM holds.", Host, total="available_cpu_capacity"),
    Gauge("zstack_memory_capacity_bytes", "Memory of all hosts.", Host, total="total_memory_capacity"),
    Gauge("zstack_memory_available_bytes", "Memory that no VM holds.", Host, total="available_memory_capacity"),
)

plugin = Plugin(
    name="host",
    resources=(Host, HostCharge),
    handlers=(
        command.on_host,
        command.open_on_host,
        connect.reconnect,
        connect.take_over,
        service.change_state,
        deletes(DeleteHost, act=service.delete),
        track.await_hosts,
        inspect.list_orphans,
        updates(UpdateHost),
    ),
    flows=(add.ADD,),
    starts=(track.connect_all,),
    tasks=(track.watch,),
    listeners=((SettingChanged, connect.on_setting),),
    tags=TAGS,
    configs=CONFIGS,
    presentations=PRESENTATIONS,
    gauges=GAUGES,
)
