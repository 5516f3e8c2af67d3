"""What hosts of any hypervisor add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host import add, command, connect, inspect, service, track
from zstack_appliance.cloud.host.messages import DeleteHost, UpdateHost
from zstack_appliance.cloud.host.schema import Host, HostCharge
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.standard import deletes, updates

plugin = Plugin(
    name="host",
    resources=(Host, HostCharge),
    handlers=(
        command.on_host,
        connect.reconnect,
        service.change_state,
        deletes(DeleteHost, act=service.delete),
        track.await_hosts,
        inspect.list_orphans,
        updates(UpdateHost),
    ),
    flows=(add.ADD,),
    starts=(track.connect_all,),
    tasks=(track.watch,),
    configs=(
        GlobalConfig("host", "cpu.overProvisioning.ratio", "10", "Virtual CPUs per thread.", int, low=1, high=1000),
        GlobalConfig("host", "ping.interval", "60", "Seconds between two pings of a host.", int, low=1),
        GlobalConfig("host", "ping.timeout", "10", "Seconds that a host may take to answer a ping.", int, low=2),
        GlobalConfig("host", "ping.maxFailure", "3", "Pings that may fail before a host is Disconnected.", int, low=1),
        GlobalConfig(
            "host", "syncLevel", "10", "Commands that one host carries out at once; more wait in line.", int, low=1
        ),
    ),
)
