"""What can be asked: `Operation`, a message with all that the mirror needs to know of it, and the `Pen` that draws.

An operation's `verdict` is what must become of it when nothing else happens and the weather is fair: True (it
must be done), False (it must be refused), or None where the mirror does not know enough to say.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.model.mirror import GONE, Mirror, Thing
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM, Principal

T = TypeVar("T")

Change = Callable[[str], Sequence[str]]
"""The states that a thing may be in after an operation that succeeds, by the state before."""


@dataclass(frozen=True)
class Operation:
    """One call.

    Args:
        uuid: of its job.
        label: for people.
        message: what is asked.
        principal: by whom.
        changes: to each uuid that it may change, how.
        makes: what comes into being.
        verdict: see the module.
        then: what else the mirror has to note when it succeeds.
        deletes: the kind of what goes with all that stands on it; empty if it is no such deletion.
        concerns_vm: whether what it changes is a VM.
    """

    uuid: str
    label: str
    message: Request[Any]
    principal: Principal
    changes: Mapping[str, Change] = field(default_factory=dict)
    makes: tuple[Thing, ...] = ()
    verdict: bool | None = None
    then: Callable[[Mirror], None] | None = None
    deletes: str = ""
    concerns_vm: bool = False

    def __repr__(self) -> str:
        return self.label


def always(*states: str) -> Change:
    """Whatever it was before."""
    return lambda _before: states


def or_else(moves: Mapping[str, str]) -> Change:
    """By a table; a state that is not in it stays."""
    return lambda before: (moves.get(before, before),)


def unless_gone(*states: str) -> Change:
    """One of these, but what is gone stays gone."""
    return lambda before: (GONE,) if before == GONE else states


@dataclass
class Pen:
    """Draws operations.

    Args:
        mirror: what there is.
        dice: chooses. A rule draws the number that they are seeded with and nothing else, so that what a step
            finds changes nothing for the steps after it, and any of them can be left out.
        accounts: to each account uuid its principal, the administrator's included.
        foul: whether hosts may fail meanwhile; then nothing is forced.
    """

    mirror: Mirror
    dice: random.Random
    accounts: Mapping[str, Principal]
    foul: bool = False

    def pick(self, options: Sequence[T]) -> T:
        """One of several."""
        return self.dice.choice(options)

    def chance(self, one_in: int) -> bool:
        """Yes, rarely."""
        return self.dice.randrange(one_in) == 0

    def thing(self, kind: str, *states: str) -> Thing | None:
        """Something of a kind; None if there is none."""
        found = self.mirror.of(kind, *states)
        return self.pick(found) if found else None

    def caller(self, thing: Thing) -> Principal:
        """Mostly the owner, sometimes the administrator, sometimes somebody else."""
        others = [self.accounts[uuid] for uuid in self.accounts if uuid not in (thing.owner, ADMIN_ACCOUNT)]
        owner = self.accounts.get(thing.owner, SYSTEM)
        return self.pick([owner, owner, owner, owner, SYSTEM, *others[:1]])

    def may_act(self, thing: Thing, principal: Principal) -> bool:
        """Whether an account may change a thing."""
        return principal.admin or principal.account_uuid == thing.owner

    def operation(
        self,
        label: str,
        message: Request[Any],
        principal: Principal = SYSTEM,
        *,
        changes: Mapping[str, Change] | None = None,
        makes: Sequence[Thing] = (),
        verdict: bool | None = None,
        then: Callable[[Mirror], None] | None = None,
        deletes: str = "",
    ) -> Operation:
        """Put one together; what it makes appears by it."""
        every = {**(changes or {}), **{thing.uuid: always(thing.state) for thing in makes}}
        return Operation(
            uuid=self.mirror.fresh(),
            label=label,
            message=message,
            principal=principal,
            changes=every,
            makes=tuple(makes),
            verdict=verdict,
            then=then,
            deletes=deletes,
            concerns_vm=any(self._is_vm(uuid, makes) for uuid in every),
        )

    def _is_vm(self, uuid: str, makes: Sequence[Thing]) -> bool:
        known = self.mirror.things.get(uuid) or next((thing for thing in makes if thing.uuid == uuid), None)
        return known is not None and known.kind == "vm"
