"""What can be asked about disk offerings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.kernel.message import OWNER, Action, Create, Delete, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED


@api("POST", "/disk-offerings", access=OWNER)
class CreateDiskOffering(Create[DiskOffering], frozen=True, kw_only=True):
    """Offer volumes of a size."""

    name: Name
    disk_size: Annotated[int, msgspec.Meta(ge=1)]
    type: Literal["zstack"] = "zstack"
    description: Text | None = None
    sort_key: int = 0
    allocation_strategy: Annotated[str, UNSERVED] | None = None


@api("PUT", "/disk-offerings/{uuid}/actions", access=OWNER)
class UpdateDiskOffering(Update[DiskOffering], frozen=True, kw_only=True):
    """Change an offering's name or description."""

    uuid: Annotated[Uuid, Ref(DiskOffering)]
    name: Name | None = None
    description: Text | None = None


@api("PUT", "/disk-offerings/{uuid}/actions", access=OWNER)
class ChangeDiskOfferingState(Action[DiskOffering], frozen=True, kw_only=True):
    """Enable an offering, or take it off the menu."""

    uuid: Annotated[Uuid, Ref(DiskOffering)]
    state_event: StateEvent


@api("DELETE", "/disk-offerings/{uuid}", access=OWNER, reply=None)
class DeleteDiskOffering(Delete, frozen=True, kw_only=True):
    """Delete an offering; what was made by it stays as it is."""

    uuid: Annotated[Uuid, Ref(DiskOffering)]
