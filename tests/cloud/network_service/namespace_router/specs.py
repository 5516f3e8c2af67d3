"""The router that the tests of this folder begin with."""

from __future__ import annotations

from zstack_appliance.cloud.network_service.namespace_router.wire import (
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RouterSpec,
)

INSTANCE = "ab12cd"
GUESTS, PUBLIC = f"zb{INSTANCE}1111111", f"zb{INSTANCE}2222222"

WEB = Lease(mac="fa:00:00:00:00:01", ip="192.168.77.11", hostname="web")
DB = Lease(mac="fa:00:00:00:00:02", ip="192.168.77.12", hostname="db")

SPEC = RouterSpec(
    l3_network_uuid="3" * 32,
    bridge=GUESTS,
    gateways=("192.168.77.1/24",),
    mtu=1450,
    domain="lab.example",
    dhcp=DhcpService(leases=(WEB, DB), dns=("192.168.77.1",)),
    dns=DnsService(upstreams=("203.0.113.53", "203.0.113.54")),
    public=PublicSide(bridge=PUBLIC, address="172.30.0.10/24", gateway="172.30.0.1"),
    snat=True,
)
