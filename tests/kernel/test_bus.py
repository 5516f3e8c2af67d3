"""The bus: one handler, its queue, listeners that fail, and hooks that veto."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.running import BASE, running
from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Internal, Unavailable
from zstack_appliance.kernel.message import Event, Hook, Request
from zstack_appliance.kernel.plugin import Handler, Plugin, handler_of
from zstack_appliance.kernel.queues import DeadlockError, Queues
from zstack_appliance.kernel.schema import Key


class Ask(Request[str], frozen=True, kw_only=True):
    name: str = "x"


class AskAgain(Request[str], frozen=True, kw_only=True):
    pass


class Happened(Event, frozen=True, kw_only=True):
    pass


class Invite(Hook[int], frozen=True, kw_only=True):
    pass


async def answer(m: Ask, _cloud: Cloud) -> str:
    await trio.sleep(1)
    return m.name


def key(m: Ask) -> Key:
    return Key("ask", m.name)


async def test_a_request_waits_in_its_own_queue(tmp_path: Path, autojump_clock: MockClock) -> None:
    plugin = Plugin(name="p", handlers=(Handler(Ask, answer, key),))
    async with running(tmp_path, plugins=(*BASE, plugin)) as cloud:
        system = cloud.kernel.as_system()
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for name in ("x", "x", "y"):
                nursery.start_soon(system.call, Ask(name=name))
        assert trio.current_time() - began == 2.0


async def test_a_handler_that_calls_back_is_refused(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def calls_back(_: AskAgain, cloud: Cloud) -> str:
        return await cloud.call(Ask())

    plugin = Plugin(name="p", handlers=(Handler(Ask, answer, key), Handler(AskAgain, calls_back, lambda _: key(Ask()))))
    async with running(tmp_path, plugins=(*BASE, plugin)) as cloud:
        with pytest.raises(DeadlockError, match="ask x → ask x"):
            await cloud.kernel.as_system().call(AskAgain())


async def test_nobody_serves_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud:
        with pytest.raises(Internal, match="no plugin serves Ask") as failed:
            await cloud.kernel.as_system().call(Ask())
        assert failed.value.code == "SYS.1008"


def test_two_handlers_are_one_too_many() -> None:
    plugins = [Plugin(name=name, handlers=(Handler(Ask, answer),)) for name in ("a", "b")]
    with pytest.raises(ValueError, match="Ask has two handlers; b adds the second"):
        Bus(plugins, Queues(lambda _: 1))


def test_a_plain_function_is_no_handler() -> None:
    with pytest.raises(TypeError, match="decorate it with @handles"):
        handler_of(answer)


async def test_a_listener_that_fails_does_not_keep_the_others_from_hearing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    heard: list[str] = []

    async def fails(_: Any, _cloud: Cloud) -> None:
        raise Unavailable("not now")

    async def hears(_: Any, _cloud: Cloud) -> None:
        heard.append("yes")

    plugins = (Plugin(name="a", listeners=((Happened, fails),)), Plugin(name="b", listeners=((Happened, hears),)))
    async with running(tmp_path, plugins=(*BASE, *plugins)) as cloud:
        await cloud.kernel.as_system().publish(Happened())
    assert heard == ["yes"]


async def test_the_first_veto_ends_the_round(tmp_path: Path, autojump_clock: MockClock) -> None:
    asked: list[int] = []

    def contributes(number: int) -> Any:
        async def contribute(_: Invite, _cloud: Cloud) -> int:
            asked.append(number)
            if number == 3:
                raise Conflict("not with me")
            return number

        return contribute

    def plugins(*numbers: int) -> tuple[Plugin, ...]:
        return tuple(Plugin(name=f"h{n}", hooks=((Invite, contributes(n)),)) for n in numbers)

    (tmp_path / "all").mkdir()
    async with running(tmp_path / "all", plugins=(*BASE, *plugins(1, 2))) as cloud:
        assert await cloud.kernel.as_system().gather(Invite()) == (1, 2)
    asked.clear()
    (tmp_path / "veto").mkdir()
    async with running(tmp_path / "veto", plugins=(*BASE, *plugins(1, 3, 4))) as cloud:
        with pytest.raises(Conflict):
            await cloud.kernel.as_system().gather(Invite())
    assert asked == [1, 3]
