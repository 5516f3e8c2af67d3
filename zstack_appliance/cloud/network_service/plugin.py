"""What network services add to the cloud, whoever provides them."""

from __future__ import annotations

from zstack_appliance.cloud.l3_network.messages import L3NetworkChanged, L3NetworkDeleting
from zstack_appliance.cloud.network_service import service
from zstack_appliance.cloud.network_service.schema import NetworkServiceL3NetworkRef, NetworkServiceProvider
from zstack_appliance.cloud.network_service.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="network_service",
    resources=(NetworkServiceProvider, NetworkServiceL3NetworkRef),
    handlers=(service.attach, service.detach, service.serve),
    flows=(service.ATTACH, service.DETACH),
    listeners=((L3NetworkChanged, service.on_changed), (L3NetworkDeleting, service.on_deleting)),
    presentations=PRESENTATIONS,
)
