"""`KvmHost`: a KVM host as a transport sees it: bytes in, bytes out, and a stream of notices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from trio.abc import Stream

from agents.kvm.accel import Machine
from agents.kvm.channels import open_channel
from agents.kvm.connection import SYSTEM_URI, DomainListener, Libvirt, LibvirtConnection
from agents.kvm.events import DomainWatch, Happening, change_of
from agents.kvm.facts import connect, ping
from agents.kvm.libvirtd import Libvirtd
from agents.kvm.notices import NoticeQueue
from agents.kvm.runtime import KvmRuntime, Learnt, LocalRuntime, unheard
from agents.kvm.vms import console, destroy, list_vms, pause, reboot, resume, start, stop
from zstack_appliance.cloud.host.driver import (
    Connect,
    DestroyVm,
    HostNotice,
    ListVms,
    NoticesLost,
    OpenChannel,
    PauseVm,
    Ping,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    VmConsole,
    VmState,
    VmStateChanged,
)
from zstack_appliance.cloud.host.wire import decode_command, done, failed
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler, HostSide

KVM = HostSide(
    real={
        Connect: connect,
        Ping: ping,
        ListVms: list_vms,
        StartVm: start,
        StopVm: stop,
        DestroyVm: destroy,
        RebootVm: reboot,
        PauseVm: pause,
        ResumeVm: resume,
        VmConsole: console,
    }
)
"""The host driver contract, on libvirt. Storage and network drivers bring host sides of their own."""


class KvmHost:
    """One KVM host: serves commands and says what happens on it.

    Args:
        instance: six hexadecimal digits that mark everything this appliance makes on the host.
        data: the appliance's own folder on the host.
        sides: the host halves of the drivers that this host serves besides KVM itself.
        machine: what the host tells about itself.
        libvirt: makes the way to libvirt for a listener; by default to the libvirtd of this host.
    """

    def __init__(
        self,
        *,
        instance: str,
        data: Path,
        sides: Iterable[HostSide] = (),
        machine: Machine | None = None,
        libvirt: Callable[[DomainListener], Libvirt] | None = None,
    ) -> None:
        self._handlers = table([KVM, *sides])
        self._notices = NoticeQueue()
        self._watch = DomainWatch()
        self._learnt = Learnt()
        reach = libvirt or partial(local_libvirt, Libvirtd(LocalRuntime(instance=instance, data=data)))
        self._runtime = KvmRuntime(
            instance=instance,
            data=data,
            libvirt=reach(self),
            watch=self._watch,
            learnt=self._learnt,
            machine=machine or Machine(),
        )

    async def connect(self) -> None:
        """Open the connection to libvirt, starting libvirtd where needed.

        Raises:
            HostUnreachable: there is no libvirtd and none could be started.
        """
        await self._runtime.libvirt.connect()

    async def serve(self, path: str, body: bytes, report: Report = unheard) -> bytes:
        """Do what an encoded command asks.

        Args:
            path: names the command, such as ``vm/start``.
            body: the command, encoded.
            report: receives how far it is.

        Returns:
            The encoded answer, which may be that it failed; see `zstack_appliance.cloud.host.wire`.

        Raises:
            HostUnreachable: libvirtd does not answer, so what came of the command is unknown.
        """
        try:
            command, handler = self._lookup(path)
            reply = await handler(decode_command(command, body), replace(self._runtime, report=report))
        except HostCommandFailed as error:
            return failed(str(error))
        return done(reply)

    async def open(self, wish: OpenChannel) -> Stream:
        """Connect with a running VM; see `agents.kvm.channels.open_channel`."""
        return await open_channel(wish, self._runtime)

    def notices(self) -> AsyncGenerator[HostNotice, None]:
        """What happens on the host unasked, for one listener."""
        return self._notices.listen()

    async def aclose(self) -> None:
        """Let go of libvirt; VMs and libvirtd go on."""
        await self._runtime.libvirt.aclose()

    def lifecycle(self, uuid: str, event: int, detail: int) -> None:
        """libvirt says that a domain changed."""
        change = change_of(event, detail)
        if change is None:
            return
        if change.state is VmState.STOPPED:
            self._watch.happened(uuid, Happening.STOPPED)
        # libvirt announces a start twice: as resumed, then as started.
        if uuid not in self._learnt.owned or change.state is self._learnt.owned[uuid]:
            return
        self._learnt.owned[uuid] = change.state
        self._notices.put(VmStateChanged(uuid=uuid, state=change.state, reason=change.reason))

    def reset(self, uuid: str) -> None:
        """libvirt says that a guest has been reset."""
        self._watch.happened(uuid, Happening.RESET)

    def lost(self) -> None:
        """The connection to libvirt has gone, and with it whatever happens until the next command."""
        self._learnt.owned = dict.fromkeys(self._learnt.owned)
        self._notices.put(NoticesLost(reason="the connection to libvirtd was lost"))

    def _lookup(self, path: str) -> tuple[type[Command[Any]], HostHandler]:
        try:
            return self._handlers[path]
        except KeyError:
            raise HostCommandFailed(f"this host knows no command {path}; is its agent too old?") from None


def local_libvirt(daemon: Libvirtd, listener: DomainListener) -> LibvirtConnection:
    """The way to the libvirtd of this host, which is started when it does not run."""
    return LibvirtConnection(SYSTEM_URI, ready=daemon.ensure, listener=listener)


def table(sides: Iterable[HostSide]) -> dict[str, tuple[type[Command[Any]], HostHandler]]:
    """The real handlers of these host sides, by the path of their command.

    Raises:
        ValueError: two commands have the same path.
    """
    handlers: dict[str, tuple[type[Command[Any]], HostHandler]] = {}
    for side in sides:
        for command, handler in side.real.items():
            if command.path in handlers:
                other = handlers[command.path][0]
                raise ValueError(f"{command.__name__} and {other.__name__} are both served at {command.path}")
            handlers[command.path] = (command, handler)
    return handlers
