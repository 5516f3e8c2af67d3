"""Jobs from outside: their steps, and cancelling them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from tests.running import Caller, simulated_cloud
from zstack_appliance.cloud.host.simulated.fleet import Weather

SLOW = 5.0
"""Seconds that a host takes to answer; the clock is virtual."""


async def new_vm(admin: Caller, name: str) -> dict[str, Any]:
    """The body of a CreateVmInstance."""
    (image,) = await admin.query("/images", "name=tiny")
    (offering,) = await admin.query("/instance-offerings", "name=tiny")
    (network,) = await admin.query("/l3-networks", "name=net1")
    return {
        "params": {
            "name": name,
            "imageUuid": image["uuid"],
            "instanceOfferingUuid": offering["uuid"],
            "l3NetworkUuids": [network["uuid"]],
        }
    }


async def submit(admin: Caller, name: str) -> str:
    """Start to create a VM; the job's uuid."""
    answer = await admin.send("POST", "/vm-instances", await new_vm(admin, name))
    assert answer.status_code == 202
    return str(answer.json()["location"]).rpartition("/")[2]


async def steps(admin: Caller, job: str) -> list[dict[str, Any]]:
    """The steps of a job."""
    answer = await admin.send("GET", f"/appliance/jobs/{job}/steps")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["steps"]
    return found


async def test_steps_are_seen_while_they_run_and_after(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with simulated_cloud(tmp_path, weather=Weather(latency=SLOW)) as cloud, cloud.login() as admin:
        job = await submit(admin, "web")
        await trio.sleep(SLOW / 2)
        begun = await steps(admin, job)
        assert [step["name"] for step in begun if "outcome" not in step] == ["vm_instance.create/create_root_volume"]

        waited = await admin.send("GET", f"/api-jobs/{job}", headers={"prefer": "wait=60"})
        assert waited.status_code == 200
        ended = await steps(admin, job)
        assert ended[: len(begun) - 1] == begun[:-1]
        assert {step["outcome"] for step in ended} == {"done"}
        slow = next(step for step in ended if step["name"] == "vm_instance.create/create_root_volume")
        assert slow["ended"] - slow["started"] >= SLOW * 1000


async def test_a_cancelled_job_is_undone_and_says_so(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with simulated_cloud(tmp_path, weather=Weather(latency=SLOW)) as cloud, cloud.login() as admin:
        job = await submit(admin, "web")
        await trio.sleep(SLOW / 2)
        path = f"/appliance/jobs/{job}/actions"
        answer = await admin.send("PUT", path, {"cancelJob": {}})
        assert answer.json()["inventory"]["uuid"] == job

        waited = await admin.send("GET", f"/api-jobs/{job}", headers={"prefer": "wait=60"})
        assert waited.json()["error"]["code"] == "SYS.1017"
        undone = {step["name"]: step.get("undo") for step in await steps(admin, job)}
        assert undone["vm_instance.create/create_root_volume"] == "done"
        assert await admin.query("/vm-instances") == []

        again = await admin.send("PUT", path, {"cancelJob": {}})
        assert "nothing to cancel" in again.json()["error"]["details"]


async def test_jobs_of_others_are_nobodys_business(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        job = await submit(admin, "web")
        await admin.send("GET", f"/api-jobs/{job}", headers={"prefer": "wait=60"})
        await admin.create("/accounts", name="jo", password="0" * 128)
        async with cloud.client() as client:
            jo = Caller(client)
            body = {"logInByAccount": {"accountName": "jo", "password": "0" * 128}}
            session = (await client.put("/zstack/v1/accounts/login", json=body)).json()["inventory"]["uuid"]
            jo.headers["authorization"] = f"OAuth {session}"
            for method, path, given in (
                ("GET", f"/appliance/jobs/{job}/steps", None),
                ("PUT", f"/appliance/jobs/{job}/actions", {"cancelJob": {}}),
            ):
                refused = await jo.send(method, path, given)
                assert refused.json()["error"]["code"] == "SYS.1003", refused.text
