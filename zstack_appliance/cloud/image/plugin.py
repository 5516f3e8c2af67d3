"""What images add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.image import add, delete, expunge_task
from zstack_appliance.cloud.image.messages import ChangeImageState, DeleteImage, RemoveImage, UpdateImage
from zstack_appliance.cloud.image.schema import KEPT, Image, ImageBackupStorageRef
from zstack_appliance.cloud.image.ui import PRESENTATIONS
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.quota import Quota
from zstack_appliance.kernel.schema import DELETE
from zstack_appliance.kernel.standard import deletes, switches_state, updates

plugin = Plugin(
    name="image",
    resources=(Image, ImageBackupStorageRef),
    handlers=(
        add.add,
        deletes(DeleteImage, act=delete.delete),
        delete.remove_for_good,
        delete.recover,
        delete.expunge,
        updates(UpdateImage),
        switches_state(ChangeImageState),
    ),
    flows=(add.ADD, delete.EXPUNGE),
    cascades={(Image, DELETE): lambda image, _mode: RemoveImage(image_uuid=image.uuid)},
    singletons=(expunge_task.expunge_old,),
    quotas=(
        Quota("image.num", 20, "images", Image, where={"status": KEPT}),
        Quota("image.size", 10 * 2**40, "size of all images, in bytes", Image, "size", {"status": KEPT}),
    ),
    configs=(
        GlobalConfig(
            "image",
            "deletionPolicy",
            "Delay",
            "What deleting an image does with its copies: Direct removes, Delay keeps them a while, Never for ever.",
            choices=("Direct", "Delay", "Never"),
        ),
        GlobalConfig("image", "expungePeriod", "259200", "Seconds that a deleted image can be recovered.", int, low=1),
        GlobalConfig(
            "image", "expungeInterval", "3600", "Seconds between two looks for images to expunge.", int, low=1
        ),
    ),
    presentations=PRESENTATIONS,
)
