"""What a subscriber is told: `Message`, its `Position`, what it is `About`, and `Teller`, which says it.

A message's content is made when somebody first reads it, and once for all who see the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.events.happening import STEPS, Happening
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import root_of
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.world import rfc3339

GAP_TODO = "read what you show afresh; this stream goes on from here"

WHOLE = 2**31
"""A place behind every happening of a batch."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """How far a subscriber has heard: everything up to a place in a batch."""

    number: int
    place: int = WHOLE

    def __str__(self) -> str:
        return str(self.number) if self.place == WHOLE else f"{self.number}.{self.place}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """``12`` (the whole of batch 12) or ``12.3`` (its first three happenings).

        Raises:
            InvalidArgument: it is neither.
        """
        match = re.fullmatch(r"([0-9]{1,18})(?:\.([0-9]{1,9}))?", text.strip())
        if match is None:
            raise InvalidArgument(
                f"[{text[:100]}] is no event's id; send the id of the last event that you got, such as 120 or 120.3"
            )
        return cls(int(match[1]), WHOLE if match[2] is None else int(match[2]))


class About(NamedTuple):
    """Which row a change is of, for whoever reads the row elsewhere: its base table, its key, and what it was."""

    table: str
    key: str
    kind: str


class Message:
    """One message to a subscriber.

    Args:
        event: ``ready``, ``change`` or ``gap``.
        position: whoever resumes after it has missed nothing and gets nothing twice.
        make: gives the content.
        about: of a change, what it concerns.
    """

    __slots__ = ("_data", "_make", "about", "event", "position")

    def __init__(
        self, event: str, position: Position, make: Callable[[], dict[str, Any]], about: About | None = None
    ) -> None:
        self.event = event
        self.position = position
        self.about = about
        self._make: Callable[[], dict[str, Any]] | None = make
        self._data = b""

    @property
    def data(self) -> bytes:
        """The content as JSON, one line."""
        if self._make is not None:
            self._data = msgspec.json.encode(self._make())
            self._make = None
        return self._data


class Teller:
    """Says what happened.

    Args:
        inventories: render rows.
        store: has the lists in them, as they are when somebody reads the message.
    """

    def __init__(self, inventories: Inventories, store: Store) -> None:
        self._inventories = inventories
        self._store = store

    def change(
        self, happening: Happening, kind: str, principal: Principal, position: Position | None = None
    ) -> Message:
        """A change, as this principal sees it."""
        place = position or Position(happening.number, happening.place)
        about = About(root_of(happening.root).table, happening.key, kind)
        return Message("change", place, lambda: self._content(happening, kind, principal), about)

    def _content(self, happening: Happening, kind: str, principal: Principal) -> dict[str, Any]:
        row = happening.row
        if kind == "left" and not happening.sights[1].holds(principal):
            inventory: dict[str, Any] = {"uuid": happening.key}  # It is no longer the principal's to see.
        elif kind in ("deleted", "left"):
            inventory = dict(self._inventories.plain(row))
        else:
            inventory = dict(self._inventories.render(self._store.reader, [row], principal)[0])
        if isinstance(row, Job):
            inventory[STEPS] = self._steps(row.uuid)
        content: dict[str, Any] = {
            "number": happening.number,
            "at": rfc3339(happening.at),
            "resource": query_name(happening.root),
            "uuid": happening.key,
            "kind": kind,
            "inventory": inventory,
            "fields": happening.fields,
        }
        return content | {
            name: value for name, value in (("account", happening.account), ("job", happening.job)) if value is not None
        }

    def _steps(self, job_uuid: str) -> list[dict[str, Any]]:
        """The steps of a job's flows in the order that they began, as ``/appliance/jobs/{uuid}/steps`` has them."""
        found = [
            {"flow": run.flow, **msgspec.to_builtins(step)}
            for run in self._store.find(FlowRun, job_uuid=job_uuid)
            for step in run.steps
        ]
        return sorted(found, key=lambda step: int(step["started"]))


def ready(position: Position, number: int) -> Message:
    """The first message: what follows is everything after `position`; `number` is the latest batch."""
    return Message("ready", position, lambda: {"number": number})


def gap(number: int, reason: str) -> Message:
    """Something was missed; the stream goes on after batch `number`."""
    return Message(
        "gap",
        Position(number),
        lambda: {
            "number": number,
            "reason": reason,
            "todo": GAP_TODO,
        },
    )
