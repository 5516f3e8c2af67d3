"""What is refused before a VM is created: all faults of the arguments at once, then the state of things."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmState
from zstack_appliance.kernel.errors import Conflict


def message(**changes: Any) -> CreateVmInstance:
    """A request that is right."""
    base = {
        "name": "web",
        "image_uuid": rows.uuid("image"),
        "cpu_num": 1,
        "memory_size": rows.GIB,
        "l3_network_uuids": ("a",),
    }
    return CreateVmInstance(**{**base, **changes})


def fields(m: CreateVmInstance) -> list[str]:
    """The fields that are at fault."""
    return [fault.field for fault in checks.arguments(m) if fault is not None]


def test_a_right_request_has_no_fault() -> None:
    """Size by numbers or by offering; 0 means not given, as Go clients send it."""
    assert not fields(message())
    assert not fields(message(cpu_num=0, memory_size=0, instance_offering_uuid=rows.uuid("o")))


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"image_uuid": None}, ["imageUuid"]),
        ({"cpu_num": 0}, ["instanceOfferingUuid"]),
        ({"l3_network_uuids": None}, ["l3NetworkUuids"]),
        ({"l3_network_uuids": None, "zone_uuid": rows.uuid("zone")}, []),
        ({"l3_network_uuids": ("a", "a"), "default_l3_network_uuid": "a"}, ["l3NetworkUuids"]),
        ({"l3_network_uuids": ("a", "b")}, ["defaultL3NetworkUuid"]),
        ({"default_l3_network_uuid": "b"}, ["defaultL3NetworkUuid"]),
        ({"root_disk_size": -1}, ["rootDiskSize"]),
        ({"cpu_num": 4096}, ["cpuNum"]),
        ({"memory_size": -1}, ["memorySize"]),
        ({"data_disk_sizes": (1,)}, ["dataDiskSizes"]),
        (
            {"image_uuid": None, "cpu_num": 0, "l3_network_uuids": None},
            ["imageUuid", "instanceOfferingUuid", "l3NetworkUuids"],
        ),
    ],
)
def test_each_fault_names_its_field(changes: dict[str, Any], at_fault: list[str]) -> None:
    """Several at once are told at once."""
    assert fields(message(**changes)) == at_fault


def test_a_wrong_state_names_the_states_that_would_do() -> None:
    """With ZStack's code and words."""
    with pytest.raises(Conflict, match=r"state\[Stopped\].*allowed states are \[Running, Paused\]") as caught:
        checks.in_state(rows.vm(), "APIStopVmInstanceMsg", VmState.RUNNING, VmState.PAUSED)
    assert caught.value.code == "VM.1010"
