"""What can be asked of cost centers and of write-once storages."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.message import ADMIN, Create, Delete, Read, Request, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_plugins.cost_center.schema import CostCenter

NUMBER = r"^\d{4}$"


@api("POST", "/cost-centers", access=ADMIN)
class CreateCostCenter(Create[CostCenter], frozen=True, kw_only=True):
    """Let a cost center pay for VMs."""

    name: Name
    number: Annotated[str, msgspec.Meta(pattern=NUMBER)]
    budget: Annotated[int, msgspec.Meta(ge=0)]
    description: Text | None = None


@api("DELETE", "/cost-centers/{uuid}", access=ADMIN, reply=None)
class DeleteCostCenter(Delete, frozen=True, kw_only=True):
    """Delete a cost center that pays for nothing any more."""

    uuid: Annotated[Uuid, Ref(CostCenter)]


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of its budget a cost center has used."""

    budget: int
    used: int
    memory: int
    """Bytes of all its VMs."""


@api("GET", "/cost-centers/{uuid}/report", access=ADMIN, sync=True, reply=None)
class GetCostCenterReport(Read[Report], frozen=True, kw_only=True):
    """Answer how much of its budget a cost center has used."""

    uuid: Annotated[Uuid, Ref(CostCenter)]


class BookVm(Request[None], frozen=True, kw_only=True):
    """Book a VM on a cost center, one after the other; a VM that is booked already stays so."""

    number: str
    vm_instance_uuid: Annotated[Uuid, Ref(VmInstance)]


@api("POST", "/backup-storage/write-once", access=ADMIN, wire="com.example.costcenter")
class AddWriteOnceStorage(Create[BackupStorage], frozen=True, kw_only=True):
    """Keep images in a folder of one host, for ever."""

    url: Annotated[str, msgspec.Meta(max_length=2048)]
    name: Name
    host_uuid: Annotated[Uuid, Ref(Host)]
    auditor: str
    description: Text | None = None
