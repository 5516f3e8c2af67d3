"""`ShelfRuntime`: as much of a simulated host as the network drivers' simulated halves use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zstack_appliance.hostkit.simulated_files import SimulatedFiles


@dataclass(frozen=True, slots=True)
class ShelfRuntime:
    """A simulated host."""

    instance: str = "ab12cd"
    files: SimulatedFiles = field(default_factory=SimulatedFiles)
    shelves: dict[str, dict[str, Any]] = field(default_factory=dict)

    def shelf(self, kind: str) -> dict[str, Any]:
        """What the host has of one kind."""
        return self.shelves.setdefault(kind, {})

    def report(self, fraction: float | None, text: str) -> None:
        """Nobody listens."""
