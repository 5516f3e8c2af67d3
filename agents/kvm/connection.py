"""The connection to libvirtd: one that opens itself when it is needed, and says when it is lost.

Primitives: `LibvirtConnection` (calls run in threads, events arrive in trio's), `DomainListener` (who hears
them), `libvirt_module` (the library, loaded when first needed).
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Any, Protocol, TypeVar

import trio

from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable

T = TypeVar("T")

SYSTEM_URI = "qemu:///system"

PARALLEL_CALLS = 8
"""Threads inside libvirt at once: starts get no faster beyond, and libvirtd's own workers are 20."""

KEEPALIVE_SECONDS, KEEPALIVE_MISSES = 5, 6
"""After half a minute of silence libvirtd counts as hung, and calls that wait for it fail."""


class DomainListener(Protocol):
    """Hears of domains, in trio's thread and in order. UUIDs are 32 hexadecimal digits."""

    def lifecycle(self, uuid: str, event: int, detail: int) -> None:
        """A virDomainEventType and its detail."""

    def reset(self, uuid: str) -> None:
        """The guest has been reset, by itself or from outside."""

    def lost(self) -> None:
        """libvirtd has gone: nothing is heard until the next call opens the connection anew."""


class Libvirt(Protocol):
    """Calls to one libvirt; `LibvirtConnection` for a real one."""

    async def call(self, work: Callable[[Any], T]) -> T:
        """Run `work(virConnect)` in a thread; see `LibvirtConnection.call`."""

    async def connect(self) -> None:
        """Have it answer; see `LibvirtConnection.connect`."""

    async def aclose(self) -> None:
        """Let go of it."""


class LibvirtConnection:
    """Calls to libvirt that never block the loop.

    Args:
        uri: which libvirtd and driver.
        ready: makes sure that libvirtd runs; awaited before each opening.
        listener: hears of domains from the first opening on.
    """

    def __init__(self, uri: str, *, ready: Callable[[], Awaitable[None]], listener: DomainListener) -> None:
        self._uri = uri
        self._ready = ready
        self._listener = listener
        self._limiter = trio.CapacityLimiter(PARALLEL_CALLS)
        self._opening = trio.Lock()
        self._open: _Opened | None = None

    async def call(self, work: Callable[[Any], T]) -> T:
        """Run `work(virConnect)` in a thread, opening the connection first where needed.

        A cancel takes effect once `work` has returned: libvirt cannot be interrupted.

        Raises:
            HostCommandFailed: libvirt refuses; the text is its own.
            HostUnreachable: libvirtd is not there, or went away meanwhile.
        """
        opened = await self._ensure_open()
        try:
            return await trio.to_thread.run_sync(work, opened.connection, limiter=self._limiter)
        except libvirt_module().libvirtError as error:
            if not opened.connection.isAlive():
                raise HostUnreachable(f"libvirtd went away during the call: {error}") from error
            raise HostCommandFailed(str(error)) from error

    async def connect(self) -> None:
        """Open the connection unless it is open.

        Raises:
            HostUnreachable: libvirtd does not run and cannot be started, or refuses us.
        """
        await self._ensure_open()

    async def aclose(self) -> None:
        """Close the connection; libvirtd and its domains go on."""
        opened, self._open = self._open, None
        if opened is not None:
            await trio.to_thread.run_sync(opened.close)

    async def _ensure_open(self) -> _Opened:
        async with self._opening:
            if self._open is not None and not self._open.connection.isAlive():
                self._lost(self._open)
            if self._open is None:
                await self._ready()
                self._open = await self._opened(trio.lowlevel.current_trio_token())
            return self._open

    async def _opened(self, token: trio.lowlevel.TrioToken) -> _Opened:
        opened = _Opened(self._uri, partial(_tell, token), self._listener, self._lost)
        libvirt = await trio.to_thread.run_sync(_libvirt_with_events)
        try:
            await trio.to_thread.run_sync(opened.start)
        except libvirt.libvirtError as error:
            raise HostUnreachable(f"libvirtd does not answer at {self._uri}: {error}") from error
        return opened

    def _lost(self, opened: _Opened) -> None:
        if self._open is opened:
            self._open = None
            self._listener.lost()


class _Opened:
    """One opening of the connection, with its callbacks.

    libvirt calls back in its event thread; `tell` carries the call over to trio's.
    """

    def __init__(
        self,
        uri: str,
        tell: Callable[..., None],
        listener: DomainListener,
        lost: Callable[[_Opened], None],
    ) -> None:
        self._uri = uri
        self._tell = tell
        self._listener = listener
        self._on_lost = lost
        self._callbacks: list[int] = []
        self.connection: Any = None

    def start(self) -> None:
        libvirt = libvirt_module()
        connection = libvirt.open(self._uri)
        self.connection = connection
        _keep_alive(connection)
        connection.registerCloseCallback(self._closed, None)
        self._callbacks = [
            connection.domainEventRegisterAny(None, event, callback, None)
            for event, callback in (
                (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle),
                (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._reset),
            )
        ]

    def close(self) -> None:
        """Take the callbacks back, for they hold the connection open, and close it."""
        libvirt = libvirt_module()
        try:
            self.connection.unregisterCloseCallback()
            for callback in self._callbacks:
                self.connection.domainEventDeregisterAny(callback)
            self.connection.close()
        except libvirt.libvirtError:
            # libvirtd went away first: there is nobody left to take leave of.
            return

    def _lifecycle(self, _connection: Any, domain: Any, event: int, detail: int, _opaque: None) -> None:
        self._tell(self._listener.lifecycle, plain_uuid(domain), event, detail)

    def _reset(self, _connection: Any, domain: Any, _opaque: None) -> None:
        self._tell(self._listener.reset, plain_uuid(domain))

    def _closed(self, _connection: Any, _reason: int, _opaque: None) -> None:
        self._tell(self._on_lost, self)


def _keep_alive(connection: Any) -> None:
    libvirt = libvirt_module()
    try:
        connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_MISSES)
    except libvirt.libvirtError as error:
        # A driver inside this process, such as libvirt's own for tests, has no wire to watch.
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise


def plain_uuid(domain: Any) -> str:
    """A domain's UUID as ZStack writes it."""
    text: str = domain.UUIDString()
    return text.replace("-", "")


@cache
def libvirt_module() -> Any:
    """The libvirt library; loaded late, because a machine need not have it before it becomes a host.

    Raises:
        HostUnreachable: it is not installed.
    """
    try:
        import libvirt
    except ImportError as error:
        raise HostUnreachable(f"libvirt is not installed on this host: {error}") from error
    # Without a handler libvirt prints every error that it also raises.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


@cache
def _libvirt_with_events() -> Any:
    """The library with its event loop running, which must exist before the first connection is opened.

    libvirt has one event loop for the whole process, hence one thread that ends with the process.
    """
    libvirt = libvirt_module()
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_run_events, args=(libvirt,), name="libvirt events", daemon=True).start()
    return libvirt


def _run_events(libvirt: Any) -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _tell(token: trio.lowlevel.TrioToken, hear: Callable[..., None], *what: Any) -> None:
    try:
        token.run_sync_soon(hear, *what)
    except trio.RunFinishedError:
        # The appliance stops while a guest does something: there is nobody left to tell.
        return
