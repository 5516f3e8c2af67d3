"""What the cloud may look like, in plain Python: `Thing`, and `Mirror`, which knows them all.

The mirror never asks the cloud what an operation did. It is told what was asked and what was answered, says
which states are possible then, and is compared with the records. Only where the cloud is free to choose (the
host of a VM) does it take over what it finds, once that has passed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model.operations import Operation
    from tests.model.site import Answer

GONE = "gone"
THERE = "there"
BUSY = ("Running", "Paused")
"""States of a VM in which it holds a place on a host, and counts fully against quotas."""


@dataclass(frozen=True, repr=False)
class Thing:
    """One resource.

    Args:
        kind: ``vm``, ``image``, ``host``, …
        uuid: chosen by the model.
        name: for people.
        owner: account uuid.
        state: the one that it is in; `GONE` once it has been deleted.
        above: uuids of what it is deleted with.
        uses: uuids of what it stands on without going with it.
        place: of a VM: the host that it runs on, or ran on last.
        size: of a VM or an offering: CPUs and bytes of memory.
        public: whether every account may use it.
        receivers: accounts that it is shared with.
        first: whether it came with the first cloud, where everything that a VM needs is there.
    """

    kind: str
    uuid: str
    name: str
    owner: str
    state: str = THERE
    above: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    place: str | None = None
    size: tuple[int, int] = (0, 0)
    public: bool = False
    receivers: frozenset[str] = frozenset()
    first: bool = False

    def __repr__(self) -> str:
        return f"{self.name} ({self.state})"


@dataclass
class Mirror:
    """Every thing, by uuid, and the settings that decide what operations do."""

    things: dict[str, Thing] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: {"vm": "Delay", "image": "Delay"})
    limits: dict[str, int] = field(default_factory=dict)
    """How many busy VMs an account may have."""
    drawn: int = 0

    def fresh(self) -> str:
        """A uuid that nothing has. Their beginnings differ too, as hosts name things by them."""
        self.drawn += 1
        return hashlib.md5(str(self.drawn).encode(), usedforsecurity=False).hexdigest()

    def add(self, *things: Thing) -> None:
        """Know these from now on."""
        self.things.update({thing.uuid: thing for thing in things})

    def of(self, kind: str, *states: str) -> list[Thing]:
        """What there is of a kind, in one of these states if any are named."""
        return [
            thing
            for thing in self.things.values()
            if thing.kind == kind and thing.state != GONE and (not states or thing.state in states)
        ]

    def below(self, uuid: str) -> list[Thing]:
        """All that is deleted with a thing, itself included."""
        doomed = {uuid}
        while True:
            more = {t.uuid for t in self.things.values() if t.state != GONE and doomed & set(t.above)} - doomed
            if not more:
                return [self.things[each] for each in doomed if each in self.things]
            doomed |= more

    def users(self, uuids: Iterable[str], kind: str = "vm") -> list[Thing]:
        """Things of a kind that use one of these."""
        wanted = set(uuids)
        return [thing for thing in self.of(kind) if wanted & set(thing.uses)]

    def visible(self, thing: Thing, account: str, *, admin: bool) -> bool:
        """Whether an account may use a thing."""
        return admin or thing.owner == account or thing.public or account in thing.receivers

    def held(self, host: str) -> tuple[int, int]:
        """CPUs and memory that VMs hold of a host."""
        vms = [vm for vm in self.of("vm", *BUSY) if vm.place == host]
        return sum(vm.size[0] for vm in vms), sum(vm.size[1] for vm in vms)

    # --- what may be -----------------------------------------------------------------------------------

    def possible(self, operations: list[Operation], answers: list[Answer], *, exact: bool) -> dict[str, set[str]]:
        """To each thing that the operations concern, the states that it may be in now.

        Args:
            operations: what was asked, all at one time.
            answers: what became of each.
            exact: one operation was done, in fair weather: a failed one has changed nothing.
        """
        found: dict[str, set[str]] = {}
        done = dict(zip((one.uuid for one in operations), answers, strict=True))
        for uuid in {uuid for one in operations for uuid in one.changes}:
            changing = [one for one in operations if uuid in one.changes]
            before = self.things[uuid].state if uuid in self.things else GONE
            if len(changing) == 1 and (done[changing[0].uuid].done or exact):
                one = changing[0]
                found[uuid] = set(one.changes[uuid](before)) if done[one.uuid].done else {before}
            else:
                found[uuid] = _closure(before, uuid, changing)
        if len(operations) > 1:
            _allow_for_deletions(found, operations)
        return found

    def learn(self, uuid: str, **changes: object) -> None:
        """Take over what was found."""
        self.things[uuid] = replace(self.things[uuid], **changes)  # type: ignore[arg-type]


def _closure(before: str, uuid: str, changing: list[Operation]) -> set[str]:
    """Every state that some of the changes, in any order and number, lead to."""
    reached, fresh = {before}, [before]
    while fresh:
        state = fresh.pop()
        for one in changing:
            more = set(one.changes[uuid](state)) - reached
            reached |= more
            fresh += more
    return reached


def _allow_for_deletions(found: dict[str, set[str]], operations: list[Operation]) -> None:
    """What is made or started while something is deleted may have come to stand on it, and then goes or stops."""
    if not any(one.deletes for one in operations):
        return
    made = {thing.uuid: thing for one in operations for thing in one.makes}
    vms = {uuid for one in operations if one.concerns_vm for uuid in one.changes}
    for uuid, states in found.items():
        if uuid in made:
            states.add(GONE)
        if uuid in vms and states & set(BUSY):
            states |= {"Stopped"}
        if uuid in vms and {"zone", "ps"} & {one.deletes for one in operations}:
            states.add(GONE)
