"""What is stored: cost centers, the VMs booked on them, and storages that keep every image."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.schema import SET_NULL, VETO, Record, Ref, Resource, Uuid, resource


@resource(wire="com.example.costcenter", path="/cost-centers", unique=(("number",),))
class CostCenter(Resource, frozen=True, kw_only=True):
    """Pays for VMs, up to a number of them."""

    number: Annotated[str, msgspec.Meta(pattern=r"^\d{4}$", description="four digits")]
    budget: Annotated[int, msgspec.Meta(ge=0, description="VMs that it may have")]


@resource(wire="com.example.costcenter", path="/cost-centers/bookings")
class Booking(Record, frozen=True, kw_only=True):
    """A VM that a cost center pays for. Its uuid is the VM's, so that none is booked twice.

    It stays for the bill when the VM goes; what counts against the budget are the VMs that are there.
    """

    cost_center_uuid: Annotated[Uuid, Ref(CostCenter, back="booking", on_delete=VETO)]
    vm_instance_uuid: Annotated[Uuid | None, Ref(VmInstance, back="booking", on_delete=SET_NULL)] = None


@resource(wire="com.example.costcenter", kind="WriteOnce")
class WriteOnceStorage(BackupStorage, frozen=True, kw_only=True):
    """A backup storage that keeps the bits of every image, also of deleted ones."""

    auditor: str
