"""`LocalTransport`: reaches the one KVM host that this process runs on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agents.kvm.host import KvmHost
from agents.kvm.local import LocalLink
from zstack_appliance.cloud.host.driver import HostDriver
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.remote import HostSide


class LocalTransport:
    """Gives the local host, whichever record asks for it: there is one machine.

    Args:
        instance: which appliance this is.
        data: its data folder.
        sides: the host halves of all drivers.
    """

    def __init__(self, instance: Instance, data: Path, sides: Iterable[HostSide]) -> None:
        self.host = KvmHost(instance=instance.id, data=data, sides=sides)

    def link(self, host: Host) -> HostDriver:
        """The driver of the local host."""
        del host
        return LocalLink(self.host)
