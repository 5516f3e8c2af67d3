"""What is stored of a volume."""

from __future__ import annotations

import enum
from typing import Annotated, Any

from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.schema import (
    DELETE,
    DETACH,
    HIDDEN,
    SET_NULL,
    TIMESTAMP,
    ByteSize,
    Embed,
    Millis,
    OnOff,
    Ref,
    Resource,
    Uuid,
    resource,
)


class VolumeType(enum.Enum):
    """What a volume is for."""

    ROOT = "Root"
    DATA = "Data"


class VolumeStatus(enum.Enum):
    """Where a volume is on its way."""

    CREATING = "Creating"
    READY = "Ready"
    NOT_INSTANTIATED = "NotInstantiated"
    DELETED = "Deleted"


def is_root(volume: Any) -> bool:
    """Whether a VM and this volume are one: a root volume neither comes nor goes without its VM."""
    return bool(volume.type is VolumeType.ROOT)


KEPT = tuple(status for status in VolumeStatus if status is not VolumeStatus.DELETED)
"""What counts against quotas."""


@resource(wire="org.zstack.header.volume", path="/volumes", owned=True)
class Volume(Resource, frozen=True, kw_only=True):
    """A disk. `size` is what the guest sees; `actual_size` what it takes on its storage."""

    type: VolumeType
    format: str
    size: ByteSize
    state: OnOff
    status: VolumeStatus
    is_shareable: bool
    primary_storage_uuid: Annotated[Uuid | None, Ref(PrimaryStorage, back="volume", on_delete=DELETE)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host, on_delete=SET_NULL), HIDDEN] = None
    """The host that holds the bits, for storage that is local to hosts. Null once that host has been deleted."""
    vm_instance_uuid: Annotated[
        Uuid | None,
        Ref(
            VmInstance,
            back="allVolumes",
            on_delete=DETACH,
            embed=Embed(order="device_id"),
            inseparable=is_root,
        ),
    ] = None
    disk_offering_uuid: Annotated[Uuid | None, Ref(DiskOffering, back="volume", on_delete=SET_NULL)] = None
    root_image_uuid: Annotated[Uuid | None, Ref(Image, edge="image", back="volume", on_delete=SET_NULL)] = None
    install_path: str | None = None
    actual_size: ByteSize | None = None
    device_id: int | None = None
    last_vm_instance_uuid: Uuid | None = None
    last_attach_date: Annotated[Millis | None, TIMESTAMP] = None
    last_detach_date: Annotated[Millis | None, TIMESTAMP] = None
