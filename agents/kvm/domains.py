"""Domains as libvirt sees them: blocking calls, to be run in a thread by `LibvirtConnection.call`.

Every function looks a domain up by UUID and by our mark. A stranger, a domain of another appliance included,
is never touched: it can only be listed. Each function is safe to repeat.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from agents.kvm.connection import libvirt_module, plain_uuid
from agents.kvm.domain_xml import METADATA_NAMESPACE, mark_of, vnc_of
from agents.kvm.events import state_of
from zstack_appliance.cloud.host.driver import VmList, VmState, VmStatus, VncAddress
from zstack_appliance.kernel.remote import HostCommandFailed

ALIVE = {VmState.RUNNING, VmState.PAUSED}


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains that one appliance has on one libvirt connection.

    Attributes:
        connection: a virConnect.
        instance: our instance id.
    """

    connection: Any
    instance: str

    def list(self) -> VmList:
        """Ours with their states, and the names of the others."""
        domains = self.connection.listAllDomains(0)
        ours = [domain for domain in domains if self._is_ours(domain)]
        strangers = sorted(domain.name() for domain in domains if domain not in ours)
        return VmList(
            vms=tuple(VmStatus(uuid=plain_uuid(domain), state=_state(domain)) for domain in ours),
            strangers=tuple(strangers),
        )

    def state(self, uuid: str) -> VmState | None:
        """The state of a domain, or None when there is no such."""
        domain = self._find(uuid)
        return None if domain is None else _state(domain)

    def start(self, uuid: str, describe: Callable[[], str]) -> VmState:
        """Define a domain anew and start it, unless it runs or is paused already.

        Args:
            uuid: of the domain.
            describe: makes the domain's files and returns its XML; called only if it has to be started.
        """
        before = self._find(uuid)
        state = VmState.STOPPED if before is None else _state(before)
        if state in ALIVE:
            return state
        if before is not None and state is VmState.CRASHED:  # kept so that its memory can be looked at
            before.destroy()
        domain = self.connection.defineXML(describe())
        with ExitStack() as undo:
            if before is None:
                undo.callback(domain.undefine)
            domain.create()
            undo.pop_all()
        return VmState.RUNNING

    def shutdown(self, uuid: str) -> VmState:
        """Ask a running guest to power off, by its agent or else by its power button."""
        return self._when(uuid, {VmState.RUNNING}, lambda domain: domain.shutdown())

    def kill(self, uuid: str) -> VmState:
        """Stop a domain the hard way; one that is absent counts as stopped."""
        self._when(uuid, {*ALIVE, VmState.CRASHED}, lambda domain: domain.destroy())
        return VmState.STOPPED

    def remove(self, uuid: str) -> None:
        """Stop a domain and forget it."""
        libvirt = libvirt_module()
        self.kill(uuid)
        domain = self._find(uuid)
        if domain is not None:
            domain.undefineFlags(
                libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
            )

    def check_alive(self, uuid: str, purpose: str) -> None:
        """Refuse what makes no sense with a VM that does not run."""
        self._need(uuid, ALIVE, purpose)

    def ask_reboot(self, uuid: str) -> VmState:
        """Ask a running guest to restart, by its agent or else by its power button."""
        return self._when(uuid, {VmState.RUNNING}, lambda domain: domain.reboot())

    def restart(self, uuid: str) -> VmState:
        """Restart a guest as its reset button does, or as its power button when it is off."""
        domain = self._need(uuid, {*ALIVE, VmState.STOPPED}, "to be rebooted")
        if _state(domain) is VmState.STOPPED:
            domain.create()
        else:
            domain.reset()
        return VmState.RUNNING

    def pause(self, uuid: str) -> VmState:
        """Halt a guest in memory."""
        domain = self._need(uuid, ALIVE, "to be paused")
        if _state(domain) is not VmState.PAUSED:
            domain.suspend()
        return VmState.PAUSED

    def resume(self, uuid: str) -> VmState:
        """Let a paused guest go on."""
        domain = self._need(uuid, ALIVE, "to be resumed")
        if _state(domain) is not VmState.RUNNING:
            domain.resume()
        return VmState.RUNNING

    def console(self, uuid: str) -> VncAddress:
        """Where the display of a running domain listens."""
        address = vnc_of(self._need(uuid, ALIVE, "to show its console").XMLDesc())
        if address is None:
            raise HostCommandFailed(f"VM {uuid} has no VNC display")
        return address

    def open_display(self, uuid: str) -> int:
        """A socket connected with the display of a running domain; the descriptor is the caller's to close."""
        descriptor: int = self._need(uuid, ALIVE, "to see its display").openGraphicsFD(0, 0)
        return descriptor

    def open_serial(self, uuid: str) -> Any:
        """A virStream on the first serial port of a running domain, taken from whoever has it."""
        libvirt = libvirt_module()
        domain = self._need(uuid, ALIVE, "to use its serial port")
        stream = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        return stream

    def _when(self, uuid: str, states: set[VmState], act: Callable[[Any], object]) -> VmState:
        """Act on a domain in one of these states; its state before, which may have changed under our feet."""
        domain = self._find(uuid)
        state = VmState.STOPPED if domain is None else _state(domain)
        if state not in states:
            return state
        libvirt = libvirt_module()
        try:
            act(domain)
        except libvirt.libvirtError as error:
            gone = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID}
            if error.get_error_code() not in gone or (self.state(uuid) or VmState.STOPPED) in states:
                raise
            return VmState.STOPPED
        return state

    def _need(self, uuid: str, states: set[VmState], purpose: str) -> Any:
        domain = self._find(uuid)
        state = None if domain is None else _state(domain)
        if state not in states:
            seen = "not there" if state is None else state.value
            raise HostCommandFailed(f"VM {uuid} is {seen} on this host; start it {purpose}")
        return domain

    def _find(self, uuid: str) -> Any | None:
        libvirt = libvirt_module()
        try:
            domain = self.connection.lookupByUUIDString(str(uuids.UUID(uuid)))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise
        if not self._is_ours(domain):
            raise HostCommandFailed(
                f"the domain {domain.name()} has the UUID {uuid} but is not of this appliance;"
                " it is left alone: remove it by hand if it is not needed"
            )
        return domain

    def _is_ours(self, domain: Any) -> bool:
        libvirt = libvirt_module()
        try:
            metadata = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, METADATA_NAMESPACE)
        except libvirt.libvirtError as error:
            # Without our element it is a stranger; and it may have gone since it was listed.
            if error.get_error_code() in {libvirt.VIR_ERR_NO_DOMAIN_METADATA, libvirt.VIR_ERR_NO_DOMAIN}:
                return False
            raise
        mark = mark_of(metadata)
        return mark is not None and mark.instance == self.instance


def _state(domain: Any) -> VmState:
    return state_of(domain.state()[0])
