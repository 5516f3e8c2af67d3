"""What can be asked about network services, and what their providers are asked."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.kernel.message import OWNER, Action, Hook, Request, api
from zstack_appliance.kernel.schema import Ref, Uuid
from zstack_appliance.kernel.unserved import UNSERVED


@api(
    "POST",
    "/l3-networks/{l3NetworkUuid}/network-services",
    access=OWNER,
    wire="org.zstack.header.network.service",
)
class AttachNetworkServiceToL3Network(Action[L3Network], frozen=True, kw_only=True):
    """Give an L3 network services: provider uuid to a list of service types, such as ``DHCP``."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    network_services: dict[str, list[str]]


@api(
    "DELETE",
    "/l3-networks/{l3NetworkUuid}/network-services",
    access=OWNER,
    wire="org.zstack.header.network.service",
)
class DetachNetworkServiceFromL3Network(Action[L3Network], frozen=True, kw_only=True):
    """Take services from an L3 network."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    network_services: dict[str, list[str]]
    service: Annotated[str, UNSERVED] | None = None


class ServeL3Network(Request[None], frozen=True, kw_only=True):
    """Bring an L3 network's services in line with the records: its services, ranges and served NICs.

    It returns once a round that began after the call has ended, so callers at one time share a round.
    """

    l3_network_uuid: Uuid


class ProvideServices(Hook[None], frozen=True, kw_only=True):
    """Each provider does its part for one L3 network; those without a service on it clean up after themselves."""

    l3: L3Network


class ProvideOnHost(Hook[None], frozen=True, kw_only=True):
    """A host came back: make on it again what providers had there."""

    host: Host
