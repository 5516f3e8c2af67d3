"""What can be asked about instance offerings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.kernel.message import OWNER, Action, Create, Delete, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED


@api("POST", "/instance-offerings", access=OWNER)
class CreateInstanceOffering(Create[InstanceOffering], frozen=True, kw_only=True):
    """Offer VMs of a size."""

    name: Name
    cpu_num: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    memory_size: Annotated[int, msgspec.Meta(ge=1)]
    reserved_memory_size: Annotated[int, msgspec.Meta(ge=0)] = 0
    type: Literal["UserVm"] = "UserVm"
    allocator_strategy: Literal["LeastVmPreferredHostAllocatorStrategy", "DefaultHostAllocatorStrategy"] = (
        "LeastVmPreferredHostAllocatorStrategy"
    )
    description: Text | None = None
    sort_key: int = 0


@api("PUT", "/instance-offerings/{uuid}/actions", access=OWNER)
class UpdateInstanceOffering(Update[InstanceOffering], frozen=True, kw_only=True):
    """Change an offering's name or description."""

    uuid: Annotated[Uuid, Ref(InstanceOffering)]
    name: Name | None = None
    description: Text | None = None
    allocator_strategy: Annotated[str, UNSERVED] | None = None


@api("PUT", "/instance-offerings/{uuid}/actions", access=OWNER)
class ChangeInstanceOfferingState(Action[InstanceOffering], frozen=True, kw_only=True):
    """Enable an offering, or take it off the menu."""

    uuid: Annotated[Uuid, Ref(InstanceOffering)]
    state_event: StateEvent


@api("DELETE", "/instance-offerings/{uuid}", access=OWNER, reply=None)
class DeleteInstanceOffering(Delete, frozen=True, kw_only=True):
    """Delete an offering; what was made by it stays as it is."""

    uuid: Annotated[Uuid, Ref(InstanceOffering)]
