"""What tags add to the cloud. Their rows are the kernel's, since every resource may carry them."""

from __future__ import annotations

from zstack_appliance.cloud.tag import service
from zstack_appliance.cloud.tag.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

plugin = Plugin(
    name="tag",
    resources=(UserTag, SystemTagRow),
    handlers=(
        service.create_user_tag,
        service.create_system_tag,
        service.create_system_tags,
        service.update_system_tag,
        service.delete_tag,
    ),
    presentations=PRESENTATIONS,
)
