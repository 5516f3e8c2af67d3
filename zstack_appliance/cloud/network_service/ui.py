"""How network services are shown."""

from __future__ import annotations

from zstack_appliance.cloud.network_service.schema import NetworkServiceL3NetworkRef, NetworkServiceProvider
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        NetworkServiceProvider,
        one="service provider",
        many="Service providers",
        place=("Network", 9),
        icon="plug",
        columns=("name", "type", "networkServiceTypes", "description"),
    ),
    Presentation(
        NetworkServiceL3NetworkRef,
        one="network service",
        many="Network services",
        columns=("networkServiceType", "networkServiceProviderUuid", "l3NetworkUuid"),
    ),
)
