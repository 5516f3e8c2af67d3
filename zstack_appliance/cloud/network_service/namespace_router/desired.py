"""What a router ought to be, from the records: `desired`, and the pure parts that it is made of."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from zstack_appliance.cloud.l2_network.wire import bridge_name
from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network, L3NetworkDns, UsedIp
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RouterSpec,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.cloud.vm_instance.tags import HOSTNAME
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.tag import SystemTagRow

DHCP, DNS, SNAT = "DHCP", "DNS", "SNAT"
SERVICES = (DHCP, DNS, SNAT)
"""What this provider gives in this version."""


REMEMBERED = 65536
"""NICs whose names are kept: a network is described whole at each of its changes, and hardly any name is new."""


class ServedNic(NamedTuple):
    """A NIC as the router sees it; the order of the fields is that of the SELECT."""

    mac: str
    ip: str
    vm_name: str
    default_network: bool
    hostname_tag: str | None


_SERVED = f"""
SELECT nic.mac, nic.ip, vm.name, vm.default_l3_network_uuid = nic.l3_network_uuid, tag.tag
  FROM {describe(VmNic).table} AS nic
  JOIN {describe(VmInstance).table} AS vm ON vm.uuid = nic.vm_instance_uuid
  LEFT JOIN {describe(SystemTagRow).table} AS tag ON tag.resource_uuid = vm.uuid AND tag.tag LIKE 'hostname::%'
 WHERE nic.l3_network_uuid = ? AND nic.served AND nic.ip IS NOT NULL
 ORDER BY nic.ip
"""


async def desired(network: L3Network, router: NamespaceRouter, services: set[str], cloud: Cloud) -> RouterSpec:
    """The router of a network, whole, as the records have it now."""
    instance = cloud.use(Instance).id
    ranges = await cloud.find(IpRange, l3_network_uuid=network.uuid)
    servers = tuple(row.dns for row in await cloud.find(L3NetworkDns, l3_network_uuid=network.uuid))
    gateways = tuple(sorted({f"{r.gateway}/{r.prefix_len}" for r in ranges}))
    own = gateways[0].partition("/")[0]
    nics = [ServedNic._make(row) for row in await cloud.store.query(_SERVED, (network.uuid,))]
    told = (own,) if DNS in services else servers
    return RouterSpec(
        l3_network_uuid=network.uuid,
        bridge=bridge_name(instance, network.l2_network_uuid),
        gateways=gateways,
        domain=network.dns_domain,
        dhcp=DhcpService(leases=leases(nics), dns=told) if DHCP in services else None,
        dns=DnsService(upstreams=servers) if DNS in services else None,
        public=await _public_side(router, instance, cloud),
        snat=SNAT in services,
    )


async def _public_side(router: NamespaceRouter, instance: str, cloud: Cloud) -> PublicSide | None:
    if router.public_ip_uuid is None:
        return None
    used = await cloud.get(UsedIp, router.public_ip_uuid)
    ip_range = await cloud.get(IpRange, used.ip_range_uuid)
    public = await cloud.get(L3Network, used.l3_network_uuid)
    return PublicSide(
        bridge=bridge_name(instance, public.l2_network_uuid),
        address=f"{used.ip}/{ip_range.prefix_len}",
        gateway=used.gateway,
    )


def leases(nics: Iterable[ServedNic]) -> tuple[Lease, ...]:
    """A lease per NIC. A name that two VMs have goes to the first of them, so that DNS stays unambiguous."""
    found: list[Lease] = []
    names: set[str] = set()
    for nic in nics:
        name = label_of(nic)
        found.append(
            Lease(
                mac=nic.mac,
                ip=nic.ip,
                hostname=name if name not in names else None,
                default_network=bool(nic.default_network),
            )
        )
        if name is not None:
            names.add(name)
    return tuple(found)


def label_of(nic: ServedNic) -> str | None:
    """The first label of the hostname tag, else the VM's name made fit for DNS, else None."""
    if nic.hostname_tag:
        tokens = HOSTNAME.tokens(nic.hostname_tag) or {}
        return tokens.get("hostname", "").partition(".")[0].lower() or None
    return _slug(nic.vm_name)


@functools.lru_cache(maxsize=REMEMBERED)
def _slug(name: str) -> str | None:
    """A VM's name made fit for DNS; None where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].rstrip("-") or None
