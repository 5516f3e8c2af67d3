"""Expunge deleted images once nobody can want them back: a background task."""

from __future__ import annotations

import logging

from zstack_appliance.cloud.image.messages import ExpungeImage
from zstack_appliance.cloud.image.schema import Image, ImageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError

log = logging.getLogger(__name__)


async def expunge_old(cloud: Cloud) -> None:
    """Every ``image.expungeInterval`` seconds, expunge what was deleted ``image.expungePeriod`` seconds ago."""
    while True:
        await cloud.configs.pause("image.expungeInterval")
        if cloud.configs.text("image.deletionPolicy") != "Never":
            await expunge_due(cloud)


async def expunge_due(cloud: Cloud) -> None:
    """Expunge what is due now; what fails stays for the next round."""
    latest = cloud.clock.millis() - cloud.configs.number("image.expungePeriod") * 1000
    for image in await cloud.find(Image, status=ImageStatus.DELETED):
        if image.last_op_date <= latest:
            try:
                await cloud.call(ExpungeImage(image_uuid=image.uuid))
            except CloudError as error:
                log.warning("image %s (%s) cannot be expunged yet: %s", image.uuid, image.name, error)
