"""The proofs of every step again, in flows that have steps of third parties: before the pivot, past it, and both.

The example plugin books a VM before its volume is made. `GUARD` is a plugin of the tests' own: it replaces a step,
adds one that only touches the database, and one past a pivot.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.proofs.proofs import KINDS, Proofs
from tests.proofs.scenarios import MESSAGE_UUID, Scenario, World, running_vm_to_stop
from tests.proofs.stage import Stage
from tests.running import every_plugin
from zstack_appliance.cloud.vm_instance import start
from zstack_appliance.cloud.vm_instance.messages import StartVmInstance, StopVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Placed, Step, Where
from zstack_appliance.kernel.flow_edits import with_edits
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import UserTag
from zstack_appliance.plugin_folder import import_from, make_importable

EXAMPLE = Path(__file__).parents[2] / "docs" / "example_plugin" / "zstack_plugins" / "cost_center"


class HasVm(Protocol):
    """What the guard's steps need."""

    vm: VmInstance


def mark_of(vm: VmInstance, text: str) -> UserTag:
    """A row of the guard's own; its uuid follows from the VM's, so that a repeated step finds it."""
    uuid = f"{vm.uuid[:-2]}{len(text):02x}"
    about = {"resource_uuid": vm.uuid, "resource_type": "VmInstanceVO"}
    return UserTag(uuid=uuid, create_date=0, last_op_date=0, **about, tag=text, type="x")


def mark(tx: Tx, d: HasVm) -> None:
    """Leave a mark in the step's own commit."""
    tx.insert(mark_of(d.vm, "marked"))


def unmark(tx: Tx, d: HasVm) -> None:
    """Undo `mark`."""
    tx.delete(mark_of(d.vm, "marked"))


async def tell(d: HasVm, cloud: Cloud) -> None:
    """Past the pivot: repeatable, and only goes forward."""
    told = mark_of(d.vm, "told-of-it")
    await cloud.write(lambda tx: tx.get(UserTag, told.uuid) or tx.insert(told))


GUARD = Plugin(
    name="guard",
    steps=(
        OfferedStep(Step("mark", tx=mark, undo_tx=unmark), fits=HasVm),
        OfferedStep(Step("tell", do=tell), fits=HasVm),
        OfferedStep(Step("place", tx=start.allocate_host, undo_tx=start.return_host), fits=start.StartingVm),
    ),
    flow_edits=(
        FlowEdit("guard.mark", Where.AFTER, "vm_instance.create/introduce_nics"),
        FlowEdit("guard.tell", Where.AFTER, "vm_instance.stop/tell_hypervisor"),
        FlowEdit("guard.place", Where.INSTEAD_OF, "vm_instance.start/allocate_host"),
        FlowEdit("guard.mark", Where.BEFORE, "vm_instance.start/begin"),
    ),
)


def example() -> Plugin:
    """The plugin of `docs/plugins.md`, imported as an appliance does."""
    make_importable(EXAMPLE.parent, fresh=True)
    plugin = import_from(EXAMPLE, "plugin").plugin
    assert isinstance(plugin, Plugin)
    return plugin


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    """A stage whose cloud has both plugins."""
    plugins = with_edits((*every_plugin(), example(), GUARD))
    return Proofs(Stage(tmp_path_factory.mktemp("others"), plugins))


async def booked_vm(world: World) -> Request[Any]:
    """A VM whose tag has it booked on a cost center that has the budget."""
    messages = import_from(EXAMPLE, "messages")
    await world.call(messages.CreateCostCenter(name="lab", number="4711", budget=1))
    return world.new_vm("new", resource_uuid=MESSAGE_UUID, system_tags=("costCenter::4711",))


async def stopped_vm(world: World) -> Request[Any]:
    """A VM that can be started."""
    vm = await world.vm()
    await world.call(StopVmInstance(uuid=vm.uuid))
    # The marks of its creation and of its stop would stand in the way of the next.
    await world.cloud.kernel.store.write(unmarked(vm.uuid))
    return StartVmInstance(uuid=vm.uuid)


def unmarked(vm_uuid: str) -> Callable[[Tx], None]:
    """Has no mark on a VM."""

    def change(tx: Tx) -> None:
        for tag in tx.find(UserTag, resource_uuid=vm_uuid):
            tx.delete(tag)

    return change


SCENARIOS = (
    Scenario("vm_instance.create", booked_vm),
    Scenario("vm_instance.start", stopped_vm),
    Scenario("vm_instance.stop", running_vm_to_stop),
)
WANTED = {
    "vm_instance.create": ("cost_center.book", "create_root_volume", "introduce_nics", "guard.mark", "serve_nics"),
    "vm_instance.start": ("guard.mark", "begin", "guard.place", "serve_nics", "settle"),
    "vm_instance.stop": ("begin", "tell_hypervisor", "guard.tell", "settle"),
}
"""The steps of others, and those around them."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("scenario", "name"), [(scenario, name) for scenario in SCENARIOS for name in WANTED[scenario.flow]]
)
def test_step(kind: str, scenario: Scenario, name: str, others: Proofs) -> None:
    others.prove(kind, scenario, placed(others, f"{scenario.flow}/{name}"))


def placed(others: Proofs, step_id: str) -> Placed:
    """The step of this id in the stage's plans."""
    plan = others.stage.plans[step_id.partition("/")[0]]
    return next(each for each in plan if each.id == step_id)
