"""Every job that was asked for with a web hook is told of, whatever fails, and nobody waits for another's."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
import trio.testing
from trio.testing import MockClock

from tests.api.things import THINGS
from tests.running import BASE, Caller, Running, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.web_hook.courier import Courier, Outcome
from zstack_appliance.kernel.web_hook import HookState, WebHook

PLUGINS = (*BASE, THINGS)
WELL, BROKEN = Outcome(), Outcome("it answered 500")


@dataclass
class Web:
    """What web hooks reach: it answers as the test says, and remembers."""

    outcome: Outcome = WELL
    hanging: set[str] = field(default_factory=set)
    calls: list[tuple[float, str, dict[str, str], bytes]] = field(default_factory=list)
    most: int = 0
    open: int = 0

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One call."""
        self.calls.append((trio.current_time(), url, headers, body))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if any(url.startswith(prefix) for prefix in self.hanging):
                await trio.sleep(10)
                return Outcome("it took longer than 10 s")
            return self.outcome
        finally:
            self.open -= 1

    def urls(self) -> list[str]:
        """Who was called, in order."""
        return [url for _, url, _, _ in self.calls]


@asynccontextmanager
async def sending(cloud: Running, web: Web) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Courier(cloud.kernel.as_system(), web.post).run)
        yield
        nursery.cancel_scope.cancel()


async def ask(caller: Caller, url: str, **params: object) -> str:
    """A job whose end is to be told; its uuid, once it has ended."""
    answer = await caller.send("POST", "/things", {"params": params}, headers={"x-web-hook": url})
    location = answer.json()["location"]
    await caller.client.get(location, headers={"prefer": "wait=30"})
    return str(location.rsplit("/", 1)[1])


def hook_of(cloud: Running, job: str) -> WebHook:
    [hook] = cloud.kernel.store.find(WebHook, job_uuid=job)
    return hook


async def test_the_result_is_posted_with_its_headers(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web()
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, sending(cloud, web):
        good = await ask(admin, "https://example.com/good", name="one")
        bad = await ask(admin, "https://example.com/bad")
        await trio.testing.wait_all_tasks_blocked()
        answers = [await admin.send("GET", f"/api-jobs/{uuid}") for uuid in (good, bad)]
        assert hook_of(cloud, good).state is hook_of(cloud, bad).state is HookState.DELIVERED
        assert (hook_of(cloud, good).tries, hook_of(cloud, good).error) == (1, None)
    assert sorted(web.urls()) == ["https://example.com/bad", "https://example.com/good"]
    (_, _, second, failure), (_, _, first, body) = sorted(web.calls, key=lambda call: call[1])
    assert (first["X-Job-UUID"], first["X-Job-Success"]) == (good, "true")
    assert (second["X-Job-UUID"], second["X-Job-Success"]) == (bad, "false")
    assert [body, failure] == [answer.content for answer in answers]
    assert json.loads(body)["inventory"]["name"] == "one"


async def test_it_is_tried_fifteen_times_again_and_then_given_up(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web(BROKEN)
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, sending(cloud, web):
        job = await ask(admin, "https://example.com/", name="one")
        await trio.sleep(120)
        hook = hook_of(cloud, job)
        assert (hook.state, hook.tries, hook.error) == (HookState.GIVEN_UP, 16, "it answered 500")
    times = [at for at, *_ in web.calls]
    assert len(times) == 16
    assert all(1.9 <= later - earlier <= 2.1 for earlier, later in itertools.pairwise(times))


async def test_it_is_sent_again_until_it_is_well(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web(BROKEN)
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, sending(cloud, web):
        job = await ask(admin, "https://example.com/", name="one")
        await trio.sleep(5)
        web.outcome = WELL
        await trio.sleep(5)
        assert hook_of(cloud, job).state is HookState.DELIVERED
        assert hook_of(cloud, job).tries == len(web.calls) == 4


async def test_what_a_crash_left_is_sent_by_the_next_start(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web()
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        job = await ask(admin, "https://example.com/", name="one")
        assert web.calls == []
    async with running(tmp_path, plugins=PLUGINS) as cloud, sending(cloud, web):
        await trio.sleep(1)
        assert hook_of(cloud, job).state is HookState.DELIVERED
    assert len(web.calls) == 1


async def test_a_job_that_a_crash_ended_is_told_of_too(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web()
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        uuid = (await admin.create("/things", name="one"))["uuid"]
        answer = await admin.send(
            "PUT",
            f"/things/{uuid}/actions",
            {"waitForThing": {"seconds": 1000}},
            headers={"x-web-hook": "https://example.com/"},
        )
        assert answer.status_code == 202
        assert hook_of(cloud, answer.json()["location"].rsplit("/", 1)[1]).state is HookState.WAITING
    async with running(tmp_path, plugins=PLUGINS) as cloud, sending(cloud, web):
        await trio.sleep(1)
    assert [headers["X-Job-Success"] for _, _, headers, _ in web.calls] == ["false"]


async def test_one_that_hangs_holds_up_nobody(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web(hanging={"https://slow"})
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("alice"))
        async with cloud.login("alice", "alice") as alice, sending(cloud, web):
            for number in range(30):
                await ask(admin, f"https://slow{number % 10}.example/", name=f"s{number}")
            began = trio.current_time()
            job = await ask(alice, "https://quick.example/", name="quick")
            await trio.testing.wait_all_tasks_blocked()
            assert hook_of(cloud, job).state is HookState.DELIVERED
            assert trio.current_time() - began < 1
            assert web.most <= 9, "an account has eight calls at once"
            await trio.sleep(2)
            quick = await ask(admin, "https://slow1.example/", name="late")
            assert hook_of(cloud, quick).state is HookState.DUE


async def test_what_is_refused_for_good_is_given_up_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    web = Web(Outcome("example.com is refused", final=True))
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, sending(cloud, web):
        job = await ask(admin, "https://example.com/", name="one")
        await trio.sleep(10)
        hook = hook_of(cloud, job)
        assert (hook.state, hook.tries, hook.error) == (HookState.GIVEN_UP, 1, "example.com is refused")
