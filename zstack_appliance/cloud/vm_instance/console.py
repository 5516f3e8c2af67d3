"""Reach a VM's display or its serial port: where the display listens, and tickets for our own door to both."""

from __future__ import annotations

from trio.abc import Stream

from zstack_appliance.cloud.account.schema import Session
from zstack_appliance.cloud.host.driver import Channel, OpenChannel, VmConsole
from zstack_appliance.cloud.host.messages import OpenOnHost, on_host
from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.messages import (
    Console,
    ConsoleAddress,
    GetVmConsoleAddress,
    RequestConsoleAccess,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.doorplate import Doorplate
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.tickets import Tickets

TOKEN_TIMEOUT = GlobalConfig(
    "console", "vnc.token.timeout", "1800", "Seconds that a token for a VM's console can be used.", int, low=1
)
OVERRIDDEN_IP = GlobalConfig(
    "console",
    "proxy.overridden.ip",
    "0.0.0.0",  # noqa: S104 - a value that is compared
    "The address, or host name, that a console is said to be at, such as that of a proxy in front;"
    " 0.0.0.0 leaves it to the appliance.",
    pattern=r"[0-9A-Za-z.:-]{1,253}",
)

VERSION = "1"
"""Of the way a console is reached; clients of ZStack only print it."""


@handles(GetVmConsoleAddress)
async def address(m: GetVmConsoleAddress, cloud: Cloud) -> ConsoleAddress:
    """Serve `GetVmConsoleAddress`."""
    vm = await cloud.get(VmInstance, m.uuid)
    _check_running(vm, "APIGetVmConsoleAddressMsg")
    found = await cloud.call(on_host(vm.host_uuid or "", VmConsole(uuid=vm.uuid)))
    return ConsoleAddress(host_ip=found.host, port=found.port, protocol="vnc")


@handles(RequestConsoleAccess)
async def request_access(m: RequestConsoleAccess, cloud: Cloud) -> Console:
    """Serve `RequestConsoleAccess`. The VM is looked at again when the ticket is used: it may have moved."""
    vm = await cloud.get(VmInstance, m.vm_instance_uuid)
    _check_running(vm, "APIRequestConsoleAccessMsg")
    channel = Channel.SERIAL if m.target_scheme == "serial" else Channel.DISPLAY

    async def connect() -> Stream:
        now = await cloud.get(VmInstance, vm.uuid)
        _check_running(now, "APIRequestConsoleAccessMsg")
        return await cloud.call(
            OpenOnHost(host_uuid=now.host_uuid or "", wish=OpenChannel(uuid=vm.uuid, channel=channel))
        )

    seconds = cloud.configs.number(TOKEN_TIMEOUT.path)
    ticket = cloud.use(Tickets).issue(connect, seconds, lambda: _is_signed_in(cloud))
    plate = cloud.use(Doorplate)
    overridden = cloud.configs.text(OVERRIDDEN_IP.path)
    return Console(
        scheme=plate.scheme,
        target_scheme=m.target_scheme,
        hostname=plate.host if overridden == OVERRIDDEN_IP.default else overridden,
        port=plate.port,
        token=ticket.token,
        version=VERSION,
        expired_date=ticket.expires,
    )


def _is_signed_in(cloud: Cloud) -> bool:
    """Whether the session that asked is still good; who came without one, as root of the machine does, stays."""
    uuid = cloud.principal.session_uuid
    if uuid is None:
        return True
    session = cloud.store.get(Session, uuid)
    return session is not None and session.expired_date > cloud.clock.millis()


def _check_running(vm: VmInstance, what: str) -> None:
    checks.in_state(vm, what, VmState.RUNNING, VmState.PAUSED, VmState.CRASHED)
