"""The plain operations on VMs: where the display is."""

from __future__ import annotations

from zstack_appliance.cloud.host.driver import VmConsole
from zstack_appliance.cloud.host.messages import on_host
from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.messages import ConsoleAddress, GetVmConsoleAddress
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles


@handles(GetVmConsoleAddress)
async def console_address(m: GetVmConsoleAddress, cloud: Cloud) -> ConsoleAddress:
    """Serve `GetVmConsoleAddress`."""
    vm = await cloud.get(VmInstance, m.uuid)
    checks.in_state(vm, "APIGetVmConsoleAddressMsg", VmState.RUNNING, VmState.PAUSED, VmState.CRASHED)
    address = await cloud.call(on_host(vm.host_uuid or "", VmConsole(uuid=vm.uuid)))
    return ConsoleAddress(host_ip=address.host, port=address.port, protocol="vnc")
