"""The display and the serial port of a real guest, through the appliance's own door."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import trio
from httpx_ws import AsyncWebSocketSession, WebSocketDisconnect, aconnect_ws

from tests.system.inside import Inside
from tests.system.live import Live, live

WITHIN = 120.0


@asynccontextmanager
async def console(appliance: Live, vm: str, scheme: str) -> AsyncIterator[AsyncWebSocketSession]:
    body = {"params": {"vmInstanceUuid": vm, "targetScheme": scheme}}
    token = (await appliance.call("POST", "/consoles", body))["inventory"]["token"]
    async with httpx.AsyncClient(base_url=appliance.url) as client:
        # Without pings of its own, which a door that is busy with a flood would answer late.
        opened: AbstractAsyncContextManager[AsyncWebSocketSession] = aconnect_ws(
            f"/console/ws?token={token}", client, keepalive_ping_interval_seconds=None
        )
        async with opened as session:
            yield session


async def until(session: AsyncWebSocketSession, wanted: bytes) -> bytes:
    seen = b""
    with trio.fail_after(WITHIN):
        while wanted not in seen:
            seen += await session.receive_bytes()
    return seen


async def until_closed(session: AsyncWebSocketSession) -> None:
    with trio.fail_after(WITHIN):
        try:
            while True:
                await session.receive_bytes()
        except WebSocketDisconnect:
            return


async def test_a_person_types_and_looks(tmp_path: Path) -> None:
    async with live(tmp_path / "data", "--accel", "tcg") as appliance:
        vm = (await appliance.create_vm("one"))["uuid"]
        await Inside(vm).booted()

        async with console(appliance, vm, "serial") as serial:
            await serial.send_bytes(b"\recho $((6*7))-answered\r")
            await until(serial, b"42-answered")
            # A flood does not fill our memory, and what comes after it still arrives, in order.
            await serial.send_bytes(b"seq 1 20000; echo flood-$((1+1))-over\r")
            flood = await until(serial, b"flood-2-over\r\n")
            assert b"\n19999\r\n20000\r\n" in flood
            async with console(appliance, vm, "serial") as other:
                await until_closed(serial)
                await other.send_bytes(b"\recho taken-$((1+2))\r")
                await until(other, b"taken-3")

        async with console(appliance, vm, "vnc") as display:
            picture = await _picture(display)
            assert len(set(picture)) > 1, "a guest that has booted shows more than one colour"
            await appliance.call("PUT", f"/vm-instances/{vm}/actions", {"stopVmInstance": {"type": "cold"}})
            await until_closed(display)


async def _picture(session: AsyncWebSocketSession) -> bytes:
    """The whole screen, by as much of RFB as it takes."""
    held = b""

    async def take(size: int) -> bytes:
        nonlocal held
        with trio.fail_after(WITHIN):
            while len(held) < size:
                held += await session.receive_bytes()
        taken, held = held[:size], held[size:]
        return taken

    assert await take(12) == b"RFB 003.008\n"
    await session.send_bytes(b"RFB 003.008\n")
    kinds = await take((await take(1))[0])
    assert 1 in kinds
    await session.send_bytes(b"\x01")
    assert await take(4) == bytes(4)
    await session.send_bytes(b"\x01")
    width, height = struct.unpack(">HH", (await take(4)))
    await take(16)
    await take(struct.unpack(">I", await take(4))[0])
    await session.send_bytes(struct.pack(">BxHi", 2, 1, 0))
    await session.send_bytes(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    _, rectangles = struct.unpack(">BxH", await take(4))
    pixels = b""
    for _ in range(rectangles):
        _, _, wide, high, encoding = struct.unpack(">HHHHi", await take(12))
        assert encoding == 0
        pixels += await take(wide * high * 4)
    return pixels
