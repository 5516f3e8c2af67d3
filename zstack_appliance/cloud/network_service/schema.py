"""What is stored of network services: who provides them, and which network has which."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.kernel.schema import DELETE, VETO, Embed, Record, Ref, Resource, Uuid, resource


@resource(wire="org.zstack.header.network.service", path="/network-services/providers", readable=True)
class NetworkServiceProvider(Resource, frozen=True, kw_only=True):
    """A provider, such as ``Namespace``. Its services are those that this version can provide."""

    type: str
    network_service_types: list[str]


@resource(
    wire="org.zstack.header.network.service",
    path="/l3-networks/network-services/refs",
    owned=True,
    unique=(("l3_network_uuid", "network_service_type"),),
    aliases={"L3Network.serviceProvider": "networkServices.serviceProvider"},
)
class NetworkServiceL3NetworkRef(Record, frozen=True, kw_only=True):
    """An L3 network has a service of a provider."""

    l3_network_uuid: Annotated[
        Uuid, Ref(L3Network, back="networkServices", on_delete=DELETE, owner=True, embed=Embed())
    ]
    network_service_provider_uuid: Annotated[Uuid, Ref(NetworkServiceProvider, edge="serviceProvider", on_delete=VETO)]
    network_service_type: str
