"""What one or more subscribers want to hear: `Interest`, and `Topic`, which decides once for all of them.

A topic is one set of resources, conditions and account. What it decides of a happening follows from the row as it
was and as it became alone, so that the past can be told again.
"""

from __future__ import annotations

from dataclasses import dataclass

from zstack_appliance.kernel.conditions import Cond
from zstack_appliance.kernel.events.happening import Happening
from zstack_appliance.kernel.events.matching import Condition, Matching
from zstack_appliance.kernel.events.message import Message, Teller
from zstack_appliance.kernel.events.subscriber import Backlog
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, root_of


@dataclass(frozen=True, slots=True)
class Interest:
    """What to hear of.

    Args:
        resources: what queries call them, such as ``VmInstance``; none means all.
        conditions: which rows, for exactly one resource.
    """

    resources: tuple[str, ...] = ()
    conditions: tuple[Cond, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """An interest that has been understood, on behalf of one account; it names a topic."""

    classes: tuple[type[Record], ...]
    """None at all means every one."""
    conditions: tuple[Cond, ...]
    account: str
    admin: bool

    @property
    def principal(self) -> Principal:
        """Who sees."""
        return Principal(self.account, admin=self.admin)

    def concerns(self, happening: Happening) -> bool:
        """Whether the row is of a class that is wanted."""
        return not self.classes or isinstance(happening.row, self.classes)

    @property
    def tables(self) -> frozenset[str] | None:
        """The base tables of the classes; None for all."""
        return frozenset(root_of(cls).table for cls in self.classes) if self.classes else None


class Topic:
    """Decides by the rows alone.

    Args:
        wanted: what.
        condition: its conditions, compiled; None without any.
        matching: judges rows.
        teller: makes messages.
    """

    def __init__(self, wanted: Wanted, condition: Condition | None, matching: Matching, teller: Teller) -> None:
        self.wanted = wanted
        self.subscribers: set[Backlog] = set()
        self.condition = condition
        self._matching = matching
        self._teller = teller
        self._principal = wanted.principal

    def hear(self, happenings: list[Happening]) -> None:
        """Tell the subscribers."""
        if not self.subscribers:
            return
        for happening in happenings:
            message = self.message(happening)
            if message is not None:
                for backlog in self.subscribers:
                    backlog.put(message)

    def message(self, happening: Happening) -> Message | None:
        """What a happening means here; None for nothing."""
        if not self.wanted.concerns(happening):
            return None
        saw, sees = happening.sights
        was = happening.before is not None and saw.holds(self._principal) and self.matches(happening.before)
        now = happening.after is not None and sees.holds(self._principal) and self.matches(happening.after)
        kind = kind_of(happening, was=was, now=now)
        return None if kind is None else self._teller.change(happening, kind, self._principal)

    def matches(self, row: Record) -> bool:
        """Whether a row fulfils the conditions."""
        return self.condition is None or self._matching.holds(row, self.condition)


def kind_of(happening: Happening, *, was: bool, now: bool) -> str | None:
    """What a subscriber is told, who saw the row before (`was`) and sees it after (`now`); None for nothing."""
    if was and now:
        return "updated" if happening.fields else None
    if now:
        return "created" if happening.before is None else "entered"
    if was:
        return "deleted" if happening.after is None else "left"
    return None
