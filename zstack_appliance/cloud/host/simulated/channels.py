"""Channels of a simulated VM: a serial port that echoes, and a display that shows a picture of its own.

Primitives: `open_channel`, and `Pipe`, what it opens, which the VM may end. The display speaks enough of RFB 3.8
for any viewer: one picture, drawn from the VM's uuid so that two VMs look different, and every key typed brightens
it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

import trio

from zstack_appliance.cloud.host.driver import Channel, OpenChannel, VmState
from zstack_appliance.kernel.remote import HostCommandFailed

WIDTH, HEIGHT = 320, 200

_BUFFERED = 64
"""Chunks on the way to a reader that is slow; a writer waits then."""


class Pipe(trio.abc.Stream):
    """A stream to a function that answers: what it is sent comes back as the function makes of it.

    Args:
        greeting: what is there to be read before anything is sent.
        answer: the function.
    """

    def __init__(self, greeting: bytes, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._send, self._receive = trio.open_memory_channel[bytes](_BUFFERED)
        self._rest = greeting
        self._has_ended = False

    def end(self) -> None:
        """The VM goes: what was answered can still be read, and then there is no more."""
        self._has_ended = True
        self._send.close()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self._rest:
            try:
                self._rest = await self._receive.receive()
            except trio.EndOfChannel:
                return b""
        size = len(self._rest) if max_bytes is None else max_bytes
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        answer = self._answer(bytes(data))
        if answer:
            try:
                await self._send.send(answer)
            except trio.ClosedResourceError:
                if not self._has_ended:
                    raise
        if self._has_ended:
            raise trio.BrokenResourceError("the VM has stopped")

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self._send.close()
        await trio.lowlevel.checkpoint()


def open_channel(wish: OpenChannel, state: VmState | None) -> Pipe:
    """Connect with a simulated VM.

    Args:
        wish: what is wanted.
        state: of the VM on its host; None when it is not there.

    Raises:
        HostCommandFailed: the VM is off.
    """
    if state not in (VmState.RUNNING, VmState.PAUSED):
        raise HostCommandFailed(f"VM {wish.uuid} does not run on this host; start it first")
    if wish.channel is Channel.SERIAL:
        return Pipe(f"simulated VM {wish.uuid}: what is typed comes back\r\n".encode(), _echo)
    return Pipe(b"RFB 003.008\n", Screen(wish.uuid).take)


def _echo(data: bytes) -> bytes:
    return data.replace(b"\r", b"\r\n")


class Screen:
    """The display's side of RFB 3.8, as a function from what a viewer sends to what it gets.

    Args:
        uuid: of the VM; its picture follows from it.
    """

    def __init__(self, uuid: str) -> None:
        self._color = hashlib.sha256(uuid.encode()).digest()[:3]
        self._level = 0
        self._held = b""
        self._name = f"simulated {uuid}".encode()
        self._stage: Callable[[], tuple[int, bytes]] = self._version

    def take(self, data: bytes) -> bytes:
        """What the viewer is sent in answer to these bytes."""
        self._held += data
        out = b""
        while True:
            used, answer = self._stage()
            if not used:
                return out
            self._held = self._held[used:]
            out += answer

    # Each stage looks at what is held, and says how much of it it used and what it answers; nothing used
    # means that more has to come.

    def _version(self) -> tuple[int, bytes]:
        if len(self._held) < 12:
            return 0, b""
        self._stage = self._security
        return 12, b"\x01\x01"  # one kind of security: none

    def _security(self) -> tuple[int, bytes]:
        if not self._held:
            return 0, b""
        self._stage = self._shared
        return 1, struct.pack(">I", 0)

    def _shared(self) -> tuple[int, bytes]:
        if not self._held:
            return 0, b""
        self._stage = self._message
        pixels = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        return 1, struct.pack(">HH", WIDTH, HEIGHT) + pixels + struct.pack(">I", len(self._name)) + self._name

    def _message(self) -> tuple[int, bytes]:
        if not self._held:
            return 0, b""
        size = self._size()
        if len(self._held) < size:
            return 0, b""
        if self._held[0] == 3:
            incremental = self._held[1]
            return size, b"" if incremental else self._picture()
        if self._held[0] == 4 and self._held[1]:
            self._level = (self._level + 40) % 160
            return size, self._picture()
        return size, b""

    def _size(self) -> int:
        """How long the message is that stands at the front."""
        kind = self._held[0]
        if kind == 2:
            return 4 + 4 * struct.unpack(">H", self._held[2:4])[0] if len(self._held) >= 4 else 4
        if kind == 6:
            return 8 + struct.unpack(">I", self._held[4:8])[0] if len(self._held) >= 8 else 8
        return {0: 20, 3: 10, 4: 8, 5: 6}.get(kind, 1)

    def _picture(self) -> bytes:
        red, green, blue = (min(255, part // 2 + self._level) for part in self._color)
        line = bytes((blue, green, red, 0)) * WIDTH
        edge = bytes((255, 255, 255, 0)) * WIDTH
        lines = b"".join(edge if row % 40 == 0 else line for row in range(HEIGHT))
        return struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + lines
