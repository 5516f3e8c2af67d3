"""`LocalLink`: the host that this process runs on, reached without leaving it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

import msgspec
from trio.abc import Stream

from agents.kvm.host import KvmHost
from agents.kvm.runtime import unheard
from zstack_appliance.cloud.host.driver import HostDriver, HostNotice, OpenChannel
from zstack_appliance.cloud.host.wire import decode_notice, encode, read_answer
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import Command

R = TypeVar("R")


class LocalLink(HostDriver):
    """The local host as the management half sees it. Everything crosses encoded, as it would a network."""

    def __init__(self, host: KvmHost) -> None:
        self._host = host

    async def connect(self) -> None:
        """Have libvirtd answer."""
        await self._host.connect()

    async def ask(self, command: Command[R], *, report: Report | None = None) -> R:
        """Send a command and wait for its reply."""
        answer = await self._host.serve(command.path, encode(command), report or unheard)
        return read_answer(command, answer)

    async def open(self, wish: OpenChannel) -> Stream:
        """Connect with a running VM; the wish crosses encoded, as it would a network."""
        return await self._host.open(msgspec.json.decode(encode(wish), type=OpenChannel))

    async def notices(self) -> AsyncGenerator[HostNotice, None]:
        """What happens on this host unasked, for one listener."""
        async with aclosing(self._host.notices()) as notices:
            async for notice in notices:
                yield decode_notice(encode(notice))
