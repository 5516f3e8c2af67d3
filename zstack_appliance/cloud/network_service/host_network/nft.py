"""The rules of the table in the host's own network: `table_body`, pure."""

from __future__ import annotations

from collections.abc import Sequence

from zstack_appliance.cloud.network_service.host_network.wire import PublicNetwork


def table_body(public: Sequence[PublicNetwork]) -> str:
    """The chains of the host's table, in the family ``ip``, for `ensure_table`.

    No uplink is named: whatever way the host goes to a destination, a router's packets take it too, also
    after the default route has moved from the cable to the radio. What the host says to itself is left
    alone.
    """
    ordered = sorted(public, key=lambda network: (network.bridge, network.subnet))
    return _forward(ordered) + _postrouting(ordered)


def _forward(public: Sequence[PublicNetwork]) -> str:
    rules = []
    if public:
        bridges = ", ".join(dict.fromkeys(f'"{network.bridge}"' for network in public))
        ours = f"{{ {bridges} }}"
        rules = [
            # The way out may take smaller packets than the bridge: a host in a tunnel or a cloud. Many
            # networks drop the message that would say so, and then connections hang.
            f"iifname {ours} tcp flags syn / syn,rst tcp option maxseg size set rt mtu",
            f"iifname {ours} accept",
            # Host-only: the host forwards now, but what is outside begins nothing inside.
            f"oifname {ours} ct state != {{ established, related }} drop",
        ]
    return _chain("forward", "type filter hook forward priority filter; policy accept;", rules)


def _postrouting(public: Sequence[PublicNetwork]) -> str:
    rules = [f'ip saddr {network.subnet} oifname != {{ "lo", "{network.bridge}" }} masquerade' for network in public]
    return _chain("postrouting", "type nat hook postrouting priority srcnat; policy accept;", rules)


def _chain(name: str, hook: str, rules: Sequence[str]) -> str:
    lines = "".join(f"\t\t{line}\n" for line in (hook, *rules))
    return f"\tchain {name} {{\n{lines}\t}}\n"
