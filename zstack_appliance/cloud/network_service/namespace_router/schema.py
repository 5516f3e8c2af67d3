"""What is stored of a namespace router."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.l3_network.schema import L3Network, UsedIp
from zstack_appliance.kernel.schema import DELETE, DETACH, HIDDEN, Record, Ref, Uuid, resource


@resource(wire="org.zstack.appliance", path="/appliance/namespace-routers", unique=(("l3_network_uuid",),))
class NamespaceRouter(Record, frozen=True, kw_only=True):
    """One L3 network's router: the host it is on, and its address in a public network if it has one."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network, back="namespaceRouter", on_delete=DELETE)]
    host_uuid: Annotated[Uuid, Ref(Host, back="namespaceRouter", on_delete=DELETE)]
    in_line: Annotated[bool, HIDDEN]
    """False once its host could not be told what the records say; it is told again as soon as it answers."""
    public_ip_uuid: Annotated[Uuid | None, Ref(UsedIp, edge="publicIp", on_delete=DETACH)] = None
