"""Events of a whole cloud: a VM as it is made, with what its inventory lists, and the job that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trio.testing import MockClock

from tests.api.live import EventStream, event_stream
from tests.running import simulated_cloud
from tests.scenarios.vms import act, new_vm


async def until(stream: EventStream, kind: str, uuid: str) -> list[dict[str, Any]]:
    """The changes of a row up to one of this kind."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["kind"] != kind or found[-1]["uuid"] != uuid:
        told = await stream.next()
        assert told is not None
        if told.event == "change":
            found.append(told.data)
    return found


async def test_a_vm_from_its_making_to_its_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vms, everything = [("resource", "VmInstance")], [("resource", "Job")]
        running = [*vms, ("q", "state=Running"), ("q", "vmNics.l3Network.name=net1")]
        async with (
            event_stream(cloud.app, headers=admin.headers, params=vms) as plain,
            event_stream(cloud.app, headers=admin.headers, params=running) as linked,
            event_stream(cloud.app, headers=admin.headers, params=everything) as jobs,
        ):
            for stream in (plain, linked, jobs):
                assert (await stream.next()) is not None
            vm = await new_vm(admin, "one")
            await act(admin, vm, "stopVmInstance", type="cold")
            await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
            await admin.do("PUT", f"/vm-instances/{vm['uuid']}/actions", {"expungeVmInstance": {}})
            told = await until(plain, "deleted", vm["uuid"])
            states = [each["inventory"]["state"] for each in told]
            assert (told[0]["kind"], states[-1]) == ("created", "Expunging")
            order = [states.index(state) for state in ("Running", "Stopping", "Stopped", "Destroyed")]
            assert order == sorted(order)
            assert [len(each["inventory"]["vmNics"]) for each in told if each["inventory"]["state"] == "Running"][
                -1
            ] == 1
            moved = await until(linked, "left", vm["uuid"])
            assert moved[0]["kind"] in ("entered", "created")
            assert moved[0]["inventory"]["state"] == "Running"
            made: list[dict[str, Any]] = []
            while not made or made[-1]["inventory"]["state"] == "Running":
                event = await jobs.next()
                assert event is not None
                made.append(event.data)
            assert {each["uuid"] for each in made} == {told[0]["job"]}
            assert [step["outcome"] for step in made[-1]["inventory"]["steps"]] == ["done"] * 10
            assert made[-1]["inventory"]["steps"][0]["name"].startswith("vm_instance.create/")
