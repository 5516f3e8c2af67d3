"""The connections to hosts: `HostLinks` gives the driver of each host, made by its hypervisor's transport.

A process-wide service, provided by the composition root: which transports exist is decided there, so that a
whole cloud runs in one test on simulated hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import trio

from zstack_appliance.cloud.host.driver import AcceleratorChoice, HostDriver
from zstack_appliance.cloud.host.schema import Host


class Transport(Protocol):
    """Reaches the hosts of one hypervisor type."""

    def link(self, host: Host) -> HostDriver:
        """The driver of one host; it connects when told to."""


class HostLinks:
    """The drivers of all hosts that this node looks after.

    Args:
        transports: hypervisor type to what reaches such hosts.
        accelerator: what hosts are told to run guests under.
    """

    def __init__(
        self, transports: Mapping[str, Transport], accelerator: AcceleratorChoice = AcceleratorChoice.AUTO
    ) -> None:
        self._transports = transports
        self.accelerator = accelerator
        self._drivers: dict[str, HostDriver] = {}
        self.watched: dict[str, trio.CancelScope] = {}
        """The hosts that this node watches, by uuid, and what ends that."""
        self.changed = trio.Event()
        """Set, and replaced by a new one, whenever a host is added or comes into another status."""

    @property
    def hypervisor_types(self) -> tuple[str, ...]:
        """The hypervisor types that can be reached."""
        return tuple(sorted(self._transports))

    def transport(self, hypervisor_type: str) -> Transport | None:
        """What reaches hosts of a type; None if nothing does."""
        return self._transports.get(hypervisor_type)

    def of(self, host: Host) -> HostDriver:
        """The driver of a host.

        Raises:
            LookupError: no transport reaches hosts of its hypervisor type.
        """
        if host.uuid not in self._drivers:
            if host.hypervisor_type not in self._transports:
                raise LookupError(f"no transport reaches hosts of type {host.hypervisor_type}")
            self._drivers[host.uuid] = self._transports[host.hypervisor_type].link(host)
        return self._drivers[host.uuid]

    def drop(self, host_uuid: str) -> None:
        """Forget a host that was deleted."""
        self._drivers.pop(host_uuid, None)

    def announce(self) -> None:
        """Wake whoever waits for `changed`."""
        self.changed.set()
        self.changed = trio.Event()
