"""Steps for the flows of VMs: `BOOK` books a new VM, `CHECK` stops one whose cost center is over its budget."""

from __future__ import annotations

from typing import Protocol

from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Step
from zstack_appliance.kernel.offered import OfferedStep
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import SystemTagRow
from zstack_plugins.cost_center.messages import BookVm
from zstack_plugins.cost_center.schema import Booking, CostCenter
from zstack_plugins.cost_center.service import vms_of
from zstack_plugins.cost_center.tags import COST_CENTER


class HasVm(Protocol):
    """What the steps need of the flow that they are put into."""

    vm: VmInstance


async def book(d: HasVm, cloud: Cloud) -> None:
    """Book the VM on the cost center that its tag names; without a tag nobody pays."""
    number = _number(await cloud.find(SystemTagRow, resource_uuid=d.vm.uuid))
    if number is not None:
        await cloud.call(BookVm(number=number, vm_instance_uuid=d.vm.uuid))


async def give_back(d: HasVm, cloud: Cloud) -> None:
    """Undo `book`, wherever it stopped; safe to repeat."""
    await cloud.write(lambda tx: tx.delete(Booking, d.vm.uuid))


def check(tx: Tx, d: HasVm) -> None:
    """Refuse a VM whose cost center has more VMs than its budget allows."""
    booking = tx.get(Booking, d.vm.uuid)
    if booking is not None:
        center = tx.require(CostCenter, booking.cost_center_uuid)
        if vms_of(tx, center) > center.budget:
            raise Conflict(f"cost center[{center.number}] is over its budget of {center.budget} VMs; delete some")


def _number(tags: list[SystemTagRow]) -> str | None:
    found = (COST_CENTER.tokens(row.tag) for row in tags)
    return next((tokens["number"] for tokens in found if tokens is not None), None)


BOOK = OfferedStep(Step("book", do=book, undo=give_back), fits=HasVm)
CHECK = OfferedStep(Step("check", tx=check, keeps="it only looks"), fits=HasVm)
