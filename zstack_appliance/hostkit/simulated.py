"""What the simulated half of a driver may use of its simulated host: `SimulatedRuntime`."""

from __future__ import annotations

from typing import Any, Protocol

from zstack_appliance.hostkit.simulated_files import SimulatedFiles


class SimulatedRuntime(Protocol):
    """A simulated host, as the drivers' simulated halves see it."""

    @property
    def instance(self) -> str:
        """Six hexadecimal digits that mark what this appliance makes."""

    @property
    def files(self) -> SimulatedFiles:
        """The host's disks."""

    def shelf(self, kind: str) -> dict[str, Any]:
        """What the host has of one kind, by name; a driver picks its own kinds."""

    def report(self, fraction: float | None, text: str) -> None:
        """Say how far the command is."""
