"""The commands that the management half of an L2 network sends to a host, and the name of its bridge."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from zstack_appliance.hostkit.marks import Kind, interface_name
from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.schema import Uuid

Mtu = Annotated[int, msgspec.Meta(ge=576, le=65521, description="bytes of an IP packet")]
"""576 is what every IPv4 host must take; above 65521 the kernel's bridge refuses."""

InterfaceName = Annotated[str, msgspec.Meta(pattern=r"^[^\s/\x00]{1,15}\Z")]


def bridge_name(instance: str, l2_network_uuid: str) -> str:
    """The name of an L2 network's bridge on every host, such as ``zbab12cd0123456``."""
    return interface_name(Kind.BRIDGE, instance, l2_network_uuid)


class Bridge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A bridge that is as it was described."""

    name: str
    changed: tuple[str, ...] = ()
    """What had to be done for that, in order; empty when it was so already."""


class ApplyBridge(Command[Bridge], frozen=True, kw_only=True):
    """Have the bridge of one L2 network on this host, exactly so."""

    path: ClassVar[str] = "l2-network/apply-bridge"
    l2_network_uuid: Uuid
    mtu: Mtu = 1500
    addresses: tuple[str, ...] = ()
    """The host's own IPv4 addresses on it with their prefix lengths, such as ``172.30.0.1/24``. A bridge for
    VMs alone has none, so that guests do not reach the host through it."""
    physical_interface: InterfaceName | None = None
    """An interface to join. Only a veth or dummy one without addresses is taken, never a network card."""


class RemoveBridge(Command[Bridge], frozen=True, kw_only=True):
    """Have no bridge of this L2 network. Refused while NICs or routers are still attached to it."""

    path: ClassVar[str] = "l2-network/remove-bridge"
    l2_network_uuid: Uuid
