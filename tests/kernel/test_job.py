"""Jobs: time limits, cancels, uuids of the caller's choice, waiting, and stops."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.kernel.small_flows import RunScript, Script
from tests.running import BASE, running
from zstack_appliance.kernel.errors import Conflict, NotFound, Unavailable
from zstack_appliance.kernel.job import STARTING_OF_ONE, STARTING_SECONDS, Job, JobState
from zstack_appliance.kernel.principal import SYSTEM, Principal

UUID = "1" * 32


def code_of(job: Job) -> str:
    return str(msgspec.json.decode(job.error or "{}")["code"])


async def test_a_job_that_takes_too_long_is_undone_and_says_so(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a", "b"), seconds={"b": 100.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        began = trio.current_time()
        job = await cloud.jobs.submit(RunScript(), SYSTEM, seconds=30.0)
        ended = await cloud.jobs.wait(job.uuid, 1000.0)
        assert trio.current_time() - began == pytest.approx(30.0, abs=1.0)
    assert (ended.state, code_of(ended)) == (JobState.FAILED, "SYS.1001")
    assert script.log == ["a", "undo b", "undo a"]


async def test_a_uuid_is_good_for_one_job(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=(*BASE, Script(("a",)).plugin())) as cloud:
        await cloud.jobs.submit(RunScript(), SYSTEM, job_uuid=UUID)
        with pytest.raises(Conflict, match="Duplicate job uuid"):
            await cloud.jobs.submit(RunScript(), SYSTEM, job_uuid=UUID)
        assert (await cloud.jobs.wait(UUID, 10.0)).state is JobState.SUCCEEDED
        with pytest.raises(Conflict, match="Duplicate job uuid"):
            await cloud.jobs.submit(RunScript(), SYSTEM, job_uuid=UUID)


async def test_waiting_ends_with_the_job_or_with_patience(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=(*BASE, Script(("a",), seconds={"a": 10.0}).plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        assert (await cloud.jobs.wait(job.uuid, 3.0)).state is JobState.RUNNING
        assert (await cloud.jobs.wait(job.uuid, 300.0)).state is JobState.SUCCEEDED
        assert trio.current_time() < 20.0
        with pytest.raises(NotFound):
            await cloud.jobs.wait("2" * 32, 1.0)


async def test_who_waits_may_go_and_the_job_goes_on(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=(*BASE, Script(("a",), seconds={"a": 10.0}).plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        with trio.move_on_after(1.0):
            await cloud.jobs.wait(job.uuid, 60.0)
        assert (await cloud.jobs.wait(job.uuid, 60.0)).state is JobState.SUCCEEDED


async def test_a_job_that_has_ended_cannot_be_cancelled(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=(*BASE, Script(("a",)).plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        await cloud.jobs.wait(job.uuid, 10.0)
        with pytest.raises(NotFound, match="no running job"):
            cloud.jobs.cancel(job.uuid)


async def test_a_job_that_waits_in_line_is_cancelled_without_a_trace(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a",), seconds={"a": 10.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        first = await cloud.jobs.submit(RunScript(), SYSTEM)
        second = await cloud.jobs.submit(RunScript(), SYSTEM)
        await trio.sleep(1.0)
        cloud.jobs.cancel(second.uuid)
        ended = await cloud.jobs.wait(second.uuid, 5.0)
        assert (ended.state, code_of(ended)) == (JobState.FAILED, "SYS.1017")
        assert "nothing had been done yet" in (ended.error or "")
        assert (await cloud.jobs.wait(first.uuid, 60.0)).state is JobState.SUCCEEDED
    assert script.log == ["a"]


async def test_a_cloud_that_stops_takes_no_new_job(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=(*BASE, Script(("a",)).plugin())) as cloud:
        cloud.jobs.park()
        with pytest.raises(Unavailable, match="stopping"):
            await cloud.jobs.submit(RunScript(), SYSTEM)


async def test_who_waits_is_let_go_before_the_doors_close(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a",), seconds={"a": 100.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        began = trio.current_time()
        cloud.jobs.release()
        assert (await cloud.jobs.wait(job.uuid, 30.0)).state is JobState.RUNNING
        assert trio.current_time() == began


async def test_one_accounts_flood_keeps_no_other_from_starting(tmp_path: Path, autojump_clock: MockClock) -> None:
    flood, other = (Principal(letter * 32, admin=True) for letter in "ab")
    begun: dict[Principal, list[float]] = {flood: [], other: []}
    script = Script(("a",), seconds={"a": 10.0})

    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud, trio.open_nursery() as nursery:
        start = trio.current_time()

        async def submit(who: Principal) -> None:
            await cloud.jobs.submit(RunScript(), who)
            begun[who].append(trio.current_time() - start)

        for _ in range(3 * STARTING_OF_ONE):
            nursery.start_soon(submit, flood)
        await wait_all_tasks_blocked()
        nursery.start_soon(submit, other)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert begun[other][0] < STARTING_SECONDS, "at once"
    rounds = [sum(at < (turn + 1) * STARTING_SECONDS for at in begun[flood]) for turn in range(3)]
    assert rounds == [STARTING_OF_ONE, 2 * STARTING_OF_ONE, 3 * STARTING_OF_ONE], "and the flood goes on"
