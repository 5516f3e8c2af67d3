"""What is wrong with the description of a host's network: `faults`, pure, every fault at once."""

from __future__ import annotations

from ipaddress import IPv4Network

from zstack_appliance.cloud.network_service.host_network.wire import ApplyHostNetwork
from zstack_appliance.hostkit.marks import is_our_interface


def faults(command: ApplyHostNetwork, instance: str) -> list[str]:
    """Everything that speaks against the description, in words for the operator."""
    found = []
    for network in command.public:
        if not is_our_interface(network.bridge, instance):
            found.append(f"the bridge {network.bridge} is not this appliance's, of instance {instance}")
        try:
            IPv4Network(network.subnet)
        except ValueError:
            found.append(f"{network.subnet} is not a subnet: write it as 172.30.0.0/24")
    return found
