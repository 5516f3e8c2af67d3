"""What a router filters and translates: `table_body`, the rules of its nftables table, pure.

Packets pass from ``lan`` to ``wan`` when SNAT is on, and back when they belong to something that began so;
from ``wan`` nothing begins, neither with the guests nor with the router itself, but an echo request.
"""

from __future__ import annotations

from ipaddress import IPv4Interface

from zstack_appliance.cloud.network_service.namespace_router.place import LAN, WAN
from zstack_appliance.cloud.network_service.namespace_router.wire import RouterSpec


def table_body(spec: RouterSpec) -> str:
    """The chains of the router's table, in the family ``ip``, for `ensure_table`."""
    return _input() + _forward(spec) + _postrouting(spec)


def _input() -> str:
    return _chain(
        "input",
        "type filter hook input priority filter; policy accept;",
        f'iifname "{WAN}" ct state established,related accept',
        f'iifname "{WAN}" icmp type echo-request accept',
        f'iifname "{WAN}" drop',
    )


def _forward(spec: RouterSpec) -> str:
    rules = [
        "ct state established,related accept",
        # Between two CIDRs of the same network.
        f'iifname "{LAN}" oifname "{LAN}" accept',
    ]
    if _public_address(spec) is not None:
        # A guest that makes up its sender's address stays inside.
        rules.append(f'iifname "{LAN}" oifname "{WAN}" ip saddr {_guests(spec)} accept')
    return _chain("forward", "type filter hook forward priority filter; policy drop;", *rules)


def _postrouting(spec: RouterSpec) -> str:
    address = _public_address(spec)
    if address is None:
        return ""
    rule = f'oifname "{WAN}" ip saddr {_guests(spec)} snat to {address}'
    return _chain("postrouting", "type nat hook postrouting priority srcnat; policy accept;", rule)


def _public_address(spec: RouterSpec) -> str | None:
    """What guests' connections are translated to; None without SNAT."""
    if not spec.snat or spec.public is None:
        return None
    return str(IPv4Interface(spec.public.address).ip)


def _guests(spec: RouterSpec) -> str:
    networks = sorted(str(IPv4Interface(gateway).network) for gateway in spec.gateways)
    return f"{{ {', '.join(networks)} }}"


def _chain(name: str, hook: str, *rules: str) -> str:
    lines = "".join(f"\t\t{line}\n" for line in (hook, *rules))
    return f"\tchain {name} {{\n{lines}\t}}\n"
