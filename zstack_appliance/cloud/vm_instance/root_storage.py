"""Where a new VM's root volume may go: what the request says, else the tags of its offerings."""

from __future__ import annotations

from zstack_appliance.cloud.primary_storage.ledger import VolumeWish
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorageClusterRef
from zstack_appliance.cloud.primary_storage.tags import steering
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.tag import SystemTagRow, UserTag


async def storage_wish(m: CreateVmInstance, root: Volume, cloud: Cloud) -> VolumeWish:
    """What the root volume needs. A disk offering's tags count, without one the instance offering's."""
    offering = m.root_disk_offering_uuid or m.instance_offering_uuid
    tags = await cloud.find(SystemTagRow, resource_uuid=offering) if offering else []
    steered = steering(row.tag for row in tags)
    if m.primary_storage_uuid_for_root_volume:
        steered = {"primary_storage_uuid": m.primary_storage_uuid_for_root_volume}
    return VolumeWish(
        volume_uuid=root.uuid,
        size=root.size,
        reserved=cloud.configs.number("primaryStorage.reservedCapacity"),
        ratio=cloud.configs.fraction("mevoco.overProvisioning.primaryStorage"),
        **steered,
    )


async def clusters_of(wish: VolumeWish | None, cloud: Cloud) -> tuple[str, ...]:
    """The clusters that a primary storage serves which the wish allows; without a wish, which any does."""
    refs = await cloud.find(PrimaryStorageClusterRef)
    if wish is not None and wish.primary_storage_uuid is not None:
        refs = [ref for ref in refs if ref.primary_storage_uuid == wish.primary_storage_uuid]
    if wish is not None and wish.user_tag_required:
        tagged = await cloud.find(UserTag, tag=wish.user_tag, resource_type="PrimaryStorageVO")
        allowed = {tag.resource_uuid for tag in tagged}
        refs = [ref for ref in refs if ref.primary_storage_uuid in allowed]
    return tuple(ref.cluster_uuid for ref in refs)
