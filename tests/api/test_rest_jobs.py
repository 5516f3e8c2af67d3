"""Calls that become jobs at the REST door: polled, waited for, bounded, told to a web hook."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.api.rest_door import UNKNOWN, action, door
from tests.api.things import THINGS
from tests.running import BASE, Caller, running
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.web_hook import HookState, WebHook


async def test_a_call_becomes_a_job_that_anybody_who_knows_it_may_poll(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        answer = await admin.send("POST", "/things", {"params": {"name": "a"}})
        assert answer.status_code == 202
        assert answer.json()["apiTimeout"] == 1_800_000
        location = answer.json()["location"]
        assert location.startswith("http://127.0.0.1:8080/zstack/v1/api-jobs/")
        async with cloud.client() as stranger:
            done = await stranger.get(location, headers={"prefer": "respond-async, wait=30"})
        assert done.status_code == 200
        assert done.headers["content-type"] == "application/json"
        assert done.json()["inventory"]["name"] == "a"


async def test_the_location_is_where_the_caller_reached_us(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin), cloud.client("https://cloud.example:8443") as client:
        answer = await Caller(client, headers=admin.headers).send("POST", "/things", {"params": {"name": "a"}})
        assert answer.json()["location"].startswith("https://cloud.example:8443/zstack/v1/api-jobs/")


async def test_a_running_job_is_empty_and_waiting_for_it_ends_with_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        answer = await admin.send("PUT", action(thing), {"waitForThing": {"seconds": 20}})
        location = answer.json()["location"]
        polled = await admin.client.get(location)
        assert (polled.status_code, polled.json()) == (202, {})
        begun = trio.current_time()
        waited = await admin.client.get(location, headers={"prefer": "wait=30"})
        assert waited.status_code == 200
        assert trio.current_time() - begun == pytest.approx(20, abs=1)


async def test_nobody_waits_longer_than_the_door_allows(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        answer = await admin.send("PUT", action(thing), {"waitForThing": {"seconds": 500}})
        begun = trio.current_time()
        waited = await admin.client.get(answer.json()["location"], headers={"prefer": "wait=400"}, timeout=None)
        assert waited.status_code == 202
        assert trio.current_time() - begun == pytest.approx(60, abs=1)


async def test_results_outlive_a_restart_and_are_forgotten_in_time(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as (cloud, admin):
        job = "1" * 32
        await admin.send("POST", "/things", {"params": {"name": "a"}}, headers={"x-job-uuid": job})
        await cloud.jobs.wait(job, 30)
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud, cloud.client() as client:
        polled = await client.get(f"/zstack/v1/api-jobs/{job}")
        assert polled.json()["inventory"]["name"] == "a"
        await trio.sleep(10801)
        gone = await client.get(f"/zstack/v1/api-jobs/{job}")
        assert (gone.status_code, gone.text) == (404, "the job has been expired\n")


async def test_a_job_that_never_was_and_another_method(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        unknown = await admin.client.get(f"/zstack/v1/api-jobs/{UNKNOWN}")
        assert (unknown.status_code, unknown.text) == (404, "the job has been expired\n")
        wrong = await admin.client.post(f"/zstack/v1/api-jobs/{UNKNOWN}")
        assert wrong.status_code == 405


async def test_a_client_chooses_its_jobs_uuid_once(tmp_path: Path) -> None:
    async with door(tmp_path) as (_, admin):
        chosen = {"x-job-uuid": "1" * 32}
        answer = await admin.send("POST", "/things", {"params": {"name": "a"}}, headers=chosen)
        assert answer.json()["location"].endswith(f"/api-jobs/{'1' * 32}")
        for params in ({"name": "a"}, {}):
            again = await admin.send("POST", "/things", {"params": params}, headers=chosen)
            assert again.status_code == 400
            assert again.text.startswith(f"Duplicate job uuid[{'1' * 32}]")
        wrong = await admin.send("POST", "/things", {"params": {"name": "a"}}, headers={"x-job-uuid": "17"})
        assert (wrong.status_code, wrong.text.split(",")[0]) == (
            400,
            "X-Job-UUID must be 32 lower-case hexadecimal digits",
        )


async def test_a_job_takes_no_longer_than_its_caller_allows(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with door(tmp_path) as (_, admin):
        thing = await admin.create("/things", name="a")
        body = {"waitForThing": {"seconds": 500}}
        answer = await admin.send("PUT", action(thing), body, headers={"x-api-timeout": "5"})
        assert answer.json()["apiTimeout"] == 5000
        ended = await admin.client.get(answer.json()["location"], headers={"prefer": "wait=30"})
        assert ended.json()["error"]["code"] == "SYS.1001"
        for wrong in ("0", "-1", "soon", "1e9"):
            refused = await admin.send("PUT", action(thing), body, headers={"x-api-timeout": wrong})
            assert refused.status_code == 400


async def test_an_appliance_that_stops_takes_no_new_jobs(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        cloud.jobs.park()
        for params in ({"name": "a"}, {}):
            answer = await admin.send("POST", "/things", {"params": params})
            if params:
                assert answer.status_code == 503
                assert answer.json()["error"]["code"] == "SYS.1010"
            else:
                assert answer.status_code == 202, "it is only told what is wrong with it"


async def test_a_web_hook_is_written_down_with_the_job_and_due_at_its_end(tmp_path: Path) -> None:
    async with door(tmp_path) as (cloud, admin):
        for url in (
            "ftp://example.com/",
            "example.com",
            "http://",
            "http://x/\x07",
            f"http://x/{'y' * 2048}",
            "http://[x/",
        ):
            answer = await admin.send("POST", "/things", {}, headers={"x-web-hook": url})
            assert answer.status_code == 400
            assert "X-Web-Hook takes an http or https URL" in answer.text
        assert cloud.kernel.store.find(WebHook) == []
        headers = {"x-web-hook": "https://example.com:8443/hook?key=hush"}
        for params, state in (({"name": "one"}, "Succeeded"), ({}, "Failed")):
            answer = await admin.send("POST", "/things", {"params": params}, headers=headers)
            location = answer.json()["location"]
            await admin.client.get(location, headers={"prefer": "wait=30"})
            uuid = location.rsplit("/", 1)[1]
            [hook] = cloud.kernel.store.find(WebHook, job_uuid=uuid)
            assert (hook.state, hook.host) == (HookState.DUE, "example.com:8443")
            assert cloud.kernel.store.require(Job, uuid).state.value == state
        shown = await admin.send("GET", "/appliance/web-hooks")
        assert len(shown.json()["inventories"]) == 2
        assert "hush" not in shown.text
