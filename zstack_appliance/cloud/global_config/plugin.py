"""What the global configuration adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.global_config import resource_service, service
from zstack_appliance.cloud.global_config.ui import PRESENTATIONS
from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.resource_config import ResourceConfig

plugin = Plugin(
    name="global_config",
    resources=(Setting, ResourceConfig),
    handlers=(
        service.update,
        service.reset,
        service.options,
        resource_service.update,
        resource_service.update_several,
        resource_service.delete,
        resource_service.look,
        resource_service.look_at_several,
        resource_service.bindable,
    ),
    starts=(service.seed,),
    presentations=PRESENTATIONS,
)
