"""The process's event loop, its doors, and how it stops.

Primitives: `run` (the loop, with a trio program as its guest), `Doors` (where that program opens
listeners and learns that it should stop), `StopTimes` (how long each part of stopping may take).

This is the one module that starts asyncio: uvicorn serves on its plain loop, and everything else sees
trio alone. A program reads like this::

    async def main(doors: Doors) -> int:
        async with open_store(path) as store:
            async with doors.open(make_app(store), Listen("127.0.0.1", 8080)) as (address,):
                print("ready", address.url)
                await doors.stopping.wait()
        return 0

    sys.exit(run(main))
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import outcome
import trio
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from zstack_appliance.api.bridge import Bridge
from zstack_appliance.api.listen import Address, Listen, ListenUnix, bind
from zstack_appliance.api.protocol import DoorProtocol

log = logging.getLogger(__name__)

FORCED = 1
"""The exit status of a program that had to be cancelled because it did not stop by itself."""

LARGEST_WEBSOCKET_MESSAGE = 1 << 20
"""Bytes. Consoles send keystrokes; nothing that comes in by a WebSocket is larger."""

KEEP_ALIVE_SECONDS = 30
"""How long a connection may idle between two requests."""

HANG_UP_SECONDS = 1.0
"""How long the last bytes of finished responses may take to leave before connections are cut."""


@dataclass(frozen=True)
class StopTimes:
    """Seconds that stopping may take. A service manager expects an end within 10 s.

    Args:
        grace: from the closing of the doors until requests in flight are cancelled.
        cancel: from the request to stop until the whole program is cancelled.
        end: from the signal until the process ends at once, whatever hangs, with its stack on standard
            error; the next start recovers, as it does after any other crash.
    """

    grace: float = 5.0
    cancel: float = 8.0
    end: float = 9.5


class Doors:
    """What a trio program opens its listeners with, and learns that it should stop from."""

    def __init__(self, times: StopTimes, program: trio.CancelScope) -> None:
        self.stopping = trio.Event()
        self._times = times
        self._program = program

    def stop(self) -> None:
        """Ask the program to stop, as SIGTERM does; asking again changes nothing."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._program.deadline = trio.current_time() + self._times.cancel

    @contextlib.asynccontextmanager
    async def open(self, app: ASGIApp, *listeners: Listen | ListenUnix) -> AsyncIterator[tuple[Address, ...]]:
        """Serve one application at every listener while the block runs; yield their addresses in order.

        Leaving the block takes no new connection, lets requests in flight finish within the grace
        period (event streams and WebSockets are told to end at once), then cancels what is left.

        Raises:
            CannotListen: a listener cannot be opened; then none is.
        """
        bridge = Bridge(app)
        doors: list[_Door] = []
        addresses: list[Address] = []
        with contextlib.ExitStack() as stack:
            for listener in listeners:
                bound, address = await trio.to_thread.run_sync(bind, listener)
                stack.callback(bound.close)
                if isinstance(listener, ListenUnix):
                    stack.callback(listener.path.unlink, missing_ok=True)
                addresses.append(address)
                doors.append(_Door(_config(bridge, listener), bound))
            try:
                for door in doors:
                    await door.open()
                yield tuple(addresses)
            finally:
                await self._close(doors, bridge)

    async def _close(self, doors: Sequence[_Door], bridge: Bridge) -> None:
        for door in doors:
            door.leave()
        bridge.end_streams()
        try:
            with trio.move_on_after(self._times.grace):
                await bridge.quiet()
        finally:
            with trio.CancelScope(shield=True):
                bridge.stop()
                await bridge.quiet()
                async with trio.open_nursery() as nursery:
                    for door in doors:
                        nursery.start_soon(door.hang_up)


class _Door(uvicorn.Server):
    """uvicorn at one listener, opened and closed from trio."""

    def __init__(self, config: uvicorn.Config, bound: socket.socket) -> None:
        super().__init__(config)
        self._bound = bound
        self._leaving = asyncio.Event()
        self._accepting = trio.Event()
        self._closed = trio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Wait, in trio, until connections are taken."""
        self._task = asyncio.get_running_loop().create_task(self.serve(sockets=[self._bound]))
        self._task.add_done_callback(self._on_done)
        await self._accepting.wait()
        if self._task.done():
            self._task.result()

    def leave(self) -> None:
        """Take no new connection, close the idle ones, and the others after their response."""
        self._leaving.set()

    async def hang_up(self) -> None:
        """Wait, in trio, for the last responses to leave; cut those that do not."""
        if self._task is None:
            return
        with trio.move_on_after(HANG_UP_SECONDS):
            await self._closed.wait()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._closed.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `run`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, and say so."""
        await super().startup(sockets)
        self._accepting.set()

    async def main_loop(self) -> None:
        """Keep the Date header right until told to leave. uvicorn's own loop wakes ten times a second."""
        while not self._leaving.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()

    def _on_done(self, _: asyncio.Task[None]) -> None:
        self._accepting.set()
        self._closed.set()


def _config(bridge: Bridge, listener: Listen | ListenUnix) -> uvicorn.Config:
    tls = listener.tls.context() if isinstance(listener, Listen) and listener.tls is not None else None
    return uvicorn.Config(
        bridge,
        http=DoorProtocol,
        ws=WebSocketsSansIOProtocol,
        ws_max_size=LARGEST_WEBSOCKET_MESSAGE,
        ws_per_message_deflate=False,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def run(
    main: Callable[[Doors], Awaitable[int]],
    *,
    times: StopTimes = StopTimes(),
    signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
) -> int:
    """Run a trio program to its end, on the event loop that uvicorn needs, in this thread.

    The first of the signals asks the program to stop; a second one cancels it.

    Args:
        main: the program. Its result is the exit status.
        times: how long stopping may take.
        signals: none in a thread that is not the main one, where Python delivers none.

    Returns:
        What the program returned, or `FORCED`.

    Raises:
        BaseException: what the program raised.
    """
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(_host(main, times, signals))


async def _host(main: Callable[[Doors], Awaitable[int]], times: StopTimes, signals: Sequence[signal.Signals]) -> int:
    loop = asyncio.get_running_loop()
    program = trio.CancelScope()
    doors = Doors(times, program)
    ended: asyncio.Future[outcome.Outcome[int]] = loop.create_future()

    async def guest() -> int:
        with program:
            return await main(doors)
        log.error("the program did not stop by itself and was cancelled")
        return FORCED

    def on_signal() -> None:
        if doors.stopping.is_set():
            program.cancel()
        else:
            faulthandler.dump_traceback_later(times.end, exit=True, file=2)
            doors.stop()

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            run_sync_soon_not_threadsafe=loop.call_soon,
            done_callback=ended.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        return (await ended).unwrap()
    finally:
        faulthandler.cancel_dump_traceback_later()
        for number in signals:
            loop.remove_signal_handler(number)
