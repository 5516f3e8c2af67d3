"""What one sees of a simulated VM."""

from __future__ import annotations

import struct

import pytest
import trio

from zstack_appliance.cloud.host.driver import Channel, OpenChannel, VmState
from zstack_appliance.cloud.host.simulated.channels import HEIGHT, WIDTH, Screen, open_channel
from zstack_appliance.kernel.remote import HostCommandFailed

UUID = "a" * 32


def test_a_vm_that_is_off_shows_nothing() -> None:
    for state in (None, VmState.STOPPED):
        with pytest.raises(HostCommandFailed, match="start it"):
            open_channel(OpenChannel(uuid=UUID, channel=Channel.SERIAL), state)


async def test_a_serial_port_echoes() -> None:
    async with open_channel(OpenChannel(uuid=UUID, channel=Channel.SERIAL), VmState.RUNNING) as stream:
        assert UUID.encode() in await stream.receive_some()
        await stream.send_all(b"ls\r")
        assert await stream.receive_some(2) == b"ls"
        assert await stream.receive_some() == b"\r\n"


async def test_a_channel_that_has_ended_is_read_to_its_end_and_takes_nothing_more() -> None:
    async with open_channel(OpenChannel(uuid=UUID, channel=Channel.SERIAL), VmState.RUNNING) as stream:
        await stream.receive_some()
        await stream.send_all(b"last words")
        stream.end()
        assert await stream.receive_some() == b"last words"
        assert await stream.receive_some() == b""
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"anybody there?")


async def test_a_viewer_that_left_may_not_send() -> None:
    stream = open_channel(OpenChannel(uuid=UUID, channel=Channel.SERIAL), VmState.RUNNING)
    await stream.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await stream.send_all(b"x")


def viewer(uuid: str) -> tuple[Screen, bytes]:
    """A screen that a viewer has been greeted by."""
    screen = Screen(uuid)
    assert screen.take(b"RFB 003") == b""
    assert screen.take(b".008\n") == b"\x01\x01"
    assert screen.take(b"\x01") == bytes(4)
    return screen, screen.take(b"\x01")


def test_a_screen_speaks_rfb_however_its_bytes_are_cut() -> None:
    screen, greeting = viewer(UUID)
    assert struct.unpack(">HH", greeting[:4]) == (WIDTH, HEIGHT)
    assert greeting.endswith(UUID.encode())
    update = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)
    encodings = struct.pack(">BxHii", 2, 2, 0, -223)
    pixel_format = b"\0" * 20
    together = pixel_format + encodings + update
    assert screen.take(together[:-1]) == b""
    picture = screen.take(together[-1:])
    assert len(picture) == 16 + 4 * WIDTH * HEIGHT


def test_a_key_changes_the_picture_and_two_vms_differ() -> None:
    update = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)
    (one, _), (other, _) = viewer(UUID), viewer("b" * 32)
    before = one.take(update)
    assert before != other.take(update)
    down, up = struct.pack(">BBHI", 4, 1, 0, 97), struct.pack(">BBHI", 4, 0, 0, 97)
    assert one.take(down) not in (b"", before)
    assert one.take(up) == b""
    assert one.take(struct.pack(">BBHHHH", 3, 1, 0, 0, WIDTH, HEIGHT)) == b""
