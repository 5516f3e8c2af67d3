"""Where a person can be: `Dashboard`, `Listing`, `Details` and `JobSteps` as values, and `Trail`, the way there.

Pure: a screen is made of a view, and going back makes the one before again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from zstack_appliance.cli.conditions import condition
from zstack_appliance.cli.declared import find_resource, path_of
from zstack_appliance.cli.exits import usage
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.schema import Record


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The cloud at a glance."""

    @property
    def title(self) -> str:
        """In the trail."""
        return "dashboard"


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a resource that match every condition."""

    noun: type[Record]
    conditions: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """In the trail."""
        return " ".join((query_name(self.noun), *self.conditions))


@dataclass(frozen=True, slots=True)
class Details:
    """One row."""

    noun: type[Record]
    uuid: str
    name: str

    @property
    def title(self) -> str:
        """In the trail."""
        return f"{query_name(self.noun)} {self.name or self.uuid[:8]}"


@dataclass(frozen=True, slots=True)
class JobSteps:
    """One job, step by step."""

    uuid: str
    name: str

    @property
    def title(self) -> str:
        """In the trail."""
        return f"job {self.name}"


View: TypeAlias = Dashboard | Listing | Details | JobSteps

HOME = ("dash", "dashboard", "pulse", "pulses", "home")


def read_command(text: str) -> View | None:
    """The view that a command asks for: ``vm state=Running``; None for ``q``, which leaves.

    Raises:
        CliError: there is no such resource, or a condition has no operator.
    """
    words = text.strip().removeprefix(":").split()
    if not words or words[0] in HOME:
        return Dashboard()
    if words[0] in ("q", "quit", "exit"):
        return None
    noun = find_resource(words[0])
    if path_of(noun) is None:
        raise usage(f"{words[0]} cannot be listed by itself")
    return Listing(noun, tuple(condition(word) for word in words[1:]))


@dataclass
class Trail:
    """Where a person was, and from where they went back."""

    _views: list[View] = field(default_factory=lambda: [Dashboard()])
    _at: int = 0

    @property
    def here(self) -> View:
        """The view that is shown."""
        return self._views[self._at]

    @property
    def titles(self) -> tuple[str, ...]:
        """The last few steps of the way here."""
        return tuple(view.title for view in self._views[max(0, self._at - 2) : self._at + 1])

    @property
    def can_go_back(self) -> bool:
        """Whether there is a view before this one."""
        return self._at > 0

    def go(self, view: View) -> View:
        """Go on from here; what was ahead is forgotten."""
        if view != self.here:
            self._views = [*self._views[: self._at + 1], view]
            self._at += 1
        return view

    def back(self) -> View:
        """The view before, or this one where there is none."""
        self._at = max(0, self._at - 1)
        return self.here

    def forward(self) -> View:
        """Back to where one was before going back."""
        self._at = min(len(self._views) - 1, self._at + 1)
        return self.here
