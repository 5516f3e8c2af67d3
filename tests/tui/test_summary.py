"""What the dashboard is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zstack_appliance.tui.summary import VM_STATES, Summary, Usage, api_name, ask, summarise

HOST = {
    "status": "Connected",
    "totalCpuCapacity": 40,
    "availableCpuCapacity": 30,
    "totalMemoryCapacity": 100,
    "availableMemoryCapacity": 25,
}


def test_answers_add_up() -> None:
    found = summarise(
        [HOST, {**HOST, "status": "Disconnected"}],
        [{"totalCapacity": 10, "availableCapacity": 4}],
        {"Running": 2, "Stopped": 0, "Destroyed": 1},
        (),
        (),
    )
    assert (found.cpu, found.memory, found.storage) == (Usage(20, 80), Usage(150, 200), Usage(6, 10))
    assert found.vms == {"Running": 2, "Destroyed": 1}
    assert found.vm_count == 2
    assert found.hosts == {"Connected": 1, "Disconnected": 1}


def test_an_account_that_sees_nothing_gets_an_empty_summary() -> None:
    asked: list[str] = []

    def query(path: str, conditions: Sequence[str], page: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(path)
        assert len(conditions) <= 1
        return {"total": 0} if page.get("count") else {"inventories": []}

    assert ask(query) == Summary(running=[], failed=[])
    assert asked.count("/vm-instances") == len(VM_STATES)


def test_an_operation_is_called_as_people_call_it() -> None:
    assert api_name({"api": "org.zstack.header.vm.APICreateVmInstanceMsg"}) == "CreateVmInstance"
    assert api_name({}) == ""
