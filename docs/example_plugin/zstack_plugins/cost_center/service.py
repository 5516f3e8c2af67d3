"""Cost centers at work: book a VM, report, and the page that shows all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.store import Tx
from zstack_plugins.cost_center.messages import BookVm, GetCostCenterReport, Report
from zstack_plugins.cost_center.schema import Booking, CostCenter


@handles(BookVm, queue=lambda m: Key("cost_center_number", m.number))
async def book(m: BookVm, cloud: Cloud) -> None:
    """Serve `BookVm`: whether there is room, and the row that takes it, are one commit."""

    def commit(tx: Tx) -> None:
        if tx.get(Booking, m.vm_instance_uuid) is not None:
            return
        found = tx.find(CostCenter, number=m.number)
        if not found:
            raise Conflict(f"there is no cost center[{m.number}]; create it, or take the tag off")
        [center] = found
        used = vms_of(tx, center)
        if used >= center.budget:
            raise Conflict(
                f"cost center[{m.number}] has {used} VMs, which is its whole budget; raise it, or delete one"
            )
        tx.insert(
            Booking(
                uuid=m.vm_instance_uuid,
                create_date=tx.now,
                last_op_date=tx.now,
                cost_center_uuid=center.uuid,
                vm_instance_uuid=m.vm_instance_uuid,
            )
        )

    await cloud.write(commit)


def vms_of(tx: Tx, center: CostCenter) -> int:
    """How many VMs a cost center pays for now."""
    return sum(each.vm_instance_uuid is not None for each in tx.find(Booking, cost_center_uuid=center.uuid))


@handles(GetCostCenterReport)
async def report(m: GetCostCenterReport, cloud: Cloud) -> Report:
    """Serve `GetCostCenterReport`."""
    return await report_on(await cloud.get(CostCenter, m.uuid), cloud)


async def report_on(center: CostCenter, cloud: Cloud) -> Report:
    """How much of its budget a cost center has used."""
    bookings = await cloud.find(Booking, cost_center_uuid=center.uuid)
    vms = await cloud.find(VmInstance, uuid=tuple(each.vm_instance_uuid for each in bookings if each.vm_instance_uuid))
    return Report(budget=center.budget, used=len(vms), memory=sum(vm.memory_size for vm in vms))


async def overview(cloud: Cloud) -> tuple[str, Mapping[str, Any]]:
    """The page: every cost center with its report."""
    centers = await cloud.find(CostCenter)
    return "overview.html", {"rows": [(center, await report_on(center, cloud)) for center in centers]}
