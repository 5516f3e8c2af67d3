"""The door to displays and serial ports."""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager

import pytest
import trio
import trio.testing
from starlette.applications import Starlette

from tests.api.sockets import Closed, Socket, websocket
from zstack_appliance.api.console import FAILED, LOOK_SECONDS, REFUSED, console_route
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.tickets import Open, Tickets
from zstack_appliance.kernel.world import Entropy, TrioClock


class Door:
    """The door, and the far end of whatever it opens."""

    def __init__(self) -> None:
        self.tickets = Tickets(TrioClock(0), Entropy(random.Random(1)))
        self.app = Starlette(routes=[console_route(self.tickets)])
        self.near, self.far = trio.testing.memory_stream_pair()

    async def open(self) -> trio.abc.Stream:
        """What a ticket opens."""
        return self.near

    def visit(self, opens: Open | None = None, token: str | None = None) -> AbstractAsyncContextManager[Socket]:
        """Come with a ticket, or with some other token."""
        shown = token if token is not None else self.tickets.issue(opens or self.open, 30).token
        return websocket(self.app, f"ws://door/console/ws?token={shown}", subprotocols=["binary"])


@pytest.fixture
def door() -> Door:
    return Door()


async def test_bytes_pass_both_ways_and_text_counts_as_bytes(door: Door) -> None:
    async with door.visit() as session:
        assert session.subprotocol == "binary"
        await session.send_bytes(b"\x00\xff")
        assert await door.far.receive_some() == b"\x00\xff"
        await session.send_text("ä")
        assert await door.far.receive_some() == "ä".encode()
        await door.far.send_all(b"RFB 003.008\n")
        assert await session.receive() == b"RFB 003.008\n"


async def test_the_stream_is_closed_when_the_viewer_goes(door: Door) -> None:
    async with door.visit():
        pass
    assert await door.far.receive_some() == b""


async def test_the_viewer_is_told_when_the_vm_ends(door: Door) -> None:
    async with door.visit() as session:
        await door.far.aclose()
        with pytest.raises(Closed) as ended:
            await session.receive()
        assert ended.value.code == 1000


async def test_a_console_is_closed_soon_after_its_session(door: Door, autojump_clock: trio.testing.MockClock) -> None:
    held = [True]
    token = door.tickets.issue(door.open, 30, lambda: held[0]).token
    async with door.visit(token=token) as session:
        await door.far.send_all(b"RFB")
        assert await session.receive() == b"RFB"
        held[0] = False
        began = trio.current_time()
        with trio.fail_after(30), pytest.raises(Closed, match="sign in again") as closed:
            await session.receive()
        assert closed.value.code == REFUSED
        assert trio.current_time() - began <= LOOK_SECONDS
    assert await door.far.receive_some() == b""


async def test_a_token_that_is_no_good_is_refused(door: Door) -> None:
    for token in ("", "f" * 64):
        async with door.visit(token=token) as session:
            with pytest.raises(Closed, match="again") as refused:
                await session.receive()
            assert refused.value.code == REFUSED


async def test_what_cannot_be_opened_says_why(door: Door) -> None:
    async def off() -> trio.abc.Stream:
        raise Conflict("the VM is Stopped; start it first")

    async with door.visit(off) as session:
        with pytest.raises(Closed, match="start it first") as failed:
            await session.receive()
        assert failed.value.code == FAILED
