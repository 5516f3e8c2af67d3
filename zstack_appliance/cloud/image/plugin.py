"""What images add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.image import add, delete
from zstack_appliance.cloud.image.messages import ChangeImageState, UpdateImage
from zstack_appliance.cloud.image.schema import Image, ImageBackupStorageRef
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.standard import switches_state, updates

plugin = Plugin(
    name="image",
    resources=(Image, ImageBackupStorageRef),
    handlers=(
        add.add,
        delete.delete,
        delete.recover,
        delete.expunge,
        updates(UpdateImage),
        switches_state(ChangeImageState),
    ),
    flows=(add.ADD, delete.EXPUNGE),
    configs=(
        GlobalConfig(
            "image",
            "deletionPolicy",
            "Delay",
            "What deleting an image does with its copies: Direct removes them, Delay and Never keep them a while.",
            choices=("Direct", "Delay", "Never"),
        ),
    ),
)
