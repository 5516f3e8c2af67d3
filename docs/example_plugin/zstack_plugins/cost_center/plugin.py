"""What cost centers add to the cloud."""

from __future__ import annotations

from pathlib import Path

from zstack_appliance.cloud.backup_storage.driver import BackupStorageDriver
from zstack_appliance.kernel.flow import Where
from zstack_appliance.kernel.offered import FlowEdit
from zstack_appliance.kernel.page import Page
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.standard import creates, deletes
from zstack_plugins.cost_center import service, storage
from zstack_plugins.cost_center.messages import CreateCostCenter, DeleteCostCenter
from zstack_plugins.cost_center.schema import Booking, CostCenter, WriteOnceStorage
from zstack_plugins.cost_center.steps import BOOK, CHECK
from zstack_plugins.cost_center.tags import COST_CENTER

plugin = Plugin(
    name="cost_center",
    resources=(CostCenter, Booking, WriteOnceStorage),
    handlers=(
        creates(CreateCostCenter, CostCenter),
        deletes(DeleteCostCenter),
        service.book,
        service.report,
        storage.add,
    ),
    flows=(storage.ADD,),
    steps=(BOOK, CHECK),
    flow_edits=(FlowEdit("cost_center.book", Where.BEFORE, "vm_instance.create/create_root_volume"),),
    drivers={(BackupStorageDriver, storage.TYPE): storage.WriteOnceDriver},
    tags=(COST_CENTER,),
    pages=(Page("overview", "Cost centers", "Accounting", service.overview),),
    templates=Path(__file__).parent / "templates",
)
