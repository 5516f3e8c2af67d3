"""A person's way to a running guest: its display as a socket, its serial port as a stream of libvirt's.

Primitives: `open_channel` and `SerialStream`. Neither listens anywhere: whoever may reach the guest is decided
by whoever asks for the channel.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from agents.kvm.connection import libvirt_module
from agents.kvm.domains import Domains
from agents.kvm.runtime import KvmRuntime
from zstack_appliance.cloud.host.driver import Channel, OpenChannel

CHUNK = 65536
"""Bytes of a serial port's output that are read at once, and the most that wait for a slow reader."""


async def open_channel(wish: OpenChannel, runtime: KvmRuntime) -> trio.abc.Stream:
    """Connect with a running guest.

    Raises:
        HostCommandFailed: it does not run here, or libvirt refuses.
        HostUnreachable: libvirtd does not answer.
    """
    token = trio.lowlevel.current_trio_token()

    def connect(connection: Any) -> Callable[[], trio.abc.Stream]:
        domains = Domains(connection, runtime.instance)
        if wish.channel is Channel.DISPLAY:
            descriptor = domains.open_display(wish.uuid)
            return partial(_socket_stream, descriptor)
        stream = domains.open_serial(wish.uuid)
        return partial(SerialStream, stream, token)

    # A call is not left before libvirt has returned, so no channel is opened for nobody.
    make = await runtime.libvirt.call(connect)
    return make()


def _socket_stream(descriptor: int) -> trio.abc.Stream:
    return trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=descriptor)))


class SerialStream(trio.abc.Stream):
    """The serial port of a guest, over a non-blocking virStream.

    libvirt calls back in its event thread. One chunk at a time is taken from there, and the next only once
    that has been read, so that a guest that prints for ever costs no memory.

    Args:
        stream: a virStream with a console opened on it.
        token: of the trio run that reads.
    """

    def __init__(self, stream: Any, token: trio.lowlevel.TrioToken) -> None:
        self._stream = stream
        self._token = token
        self._libvirt = libvirt_module()
        self._chunk = b""
        self._arrived = trio.Event()
        self._writable = trio.Event()
        self._ended = False
        self._wanted = self._libvirt.VIR_STREAM_EVENT_READABLE
        stream.eventAddCallback(self._wanted | self._over, self._happened, None)

    @property
    def _over(self) -> int:
        events: int = self._libvirt.VIR_STREAM_EVENT_HANGUP | self._libvirt.VIR_STREAM_EVENT_ERROR
        return events

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What the guest wrote; nothing once it is off or another viewer has taken the port over."""
        await trio.lowlevel.checkpoint()
        while not self._chunk and not self._ended:
            await self._arrived.wait()
        size = len(self._chunk) if max_bytes is None else max_bytes
        data, self._chunk = self._chunk[:size], self._chunk[size:]
        if not self._chunk and not self._ended:
            self._arrived = trio.Event()
            self._want(self._wanted | self._libvirt.VIR_STREAM_EVENT_READABLE)
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Type at the guest."""
        await trio.lowlevel.checkpoint()
        rest = bytes(data)
        while rest:
            if self._ended:
                raise trio.BrokenResourceError("the guest is off, or another viewer has its serial port now")
            sent = await self._send(rest)
            if sent < 0:
                await self.wait_send_all_might_not_block()
            else:
                rest = rest[sent:]

    async def _send(self, data: bytes) -> int:
        """How many bytes went; a negative number says that none can now."""
        try:
            sent: int = await trio.to_thread.run_sync(self._stream.send, data)
        except self._libvirt.libvirtError as error:
            raise trio.BrokenResourceError(str(error)) from error
        return sent

    async def wait_send_all_might_not_block(self) -> None:
        """Until libvirt can take more."""
        self._writable = trio.Event()
        self._want(self._wanted | self._libvirt.VIR_STREAM_EVENT_WRITABLE)
        await self._writable.wait()

    async def aclose(self) -> None:
        """Give the port back."""
        self._ended = True
        self._arrived.set()
        self._writable.set()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._close)
        await trio.lowlevel.checkpoint()

    def _close(self) -> None:
        try:
            self._stream.eventRemoveCallback()
            self._stream.abort()
        except self._libvirt.libvirtError:
            return  # The guest went off first: there is nothing left to give back.

    def _want(self, events: int) -> None:
        """Listen for these events besides the end. Only this thread says what is listened for."""
        self._wanted = events
        if self._ended:
            return
        try:
            self._stream.eventUpdateCallback(events | self._over)
        except self._libvirt.libvirtError:
            self._finish()

    # --- in libvirt's event thread -------------------------------------------------------------------

    def _happened(self, stream: Any, events: int, _opaque: object) -> None:
        """Take what there is, and listen for nothing more until the other thread has heard of it."""
        data: Any = None
        try:
            stream.eventUpdateCallback(self._over)
            if events & self._libvirt.VIR_STREAM_EVENT_READABLE:
                data = stream.recv(CHUNK)
        except self._libvirt.libvirtError:
            events |= self._over
        try:
            self._token.run_sync_soon(self._heard, events, data)
        except trio.RunFinishedError:
            return

    # --- in trio's thread --------------------------------------------------------------------------------

    def _heard(self, events: int, data: Any) -> None:
        wanted = self._wanted
        if isinstance(data, bytes) and data:  # libvirt answers -2 where nothing was there after all.
            self._chunk += data
            self._arrived.set()
            wanted &= ~self._libvirt.VIR_STREAM_EVENT_READABLE
        elif data == b"" or events & self._over:
            self._finish()
        if events & self._libvirt.VIR_STREAM_EVENT_WRITABLE:
            self._writable.set()
            wanted &= ~self._libvirt.VIR_STREAM_EVENT_WRITABLE
        self._want(wanted)

    def _finish(self) -> None:
        self._ended = True
        self._arrived.set()
        self._writable.set()
