"""Which commands of hosts fail: `Fates`, by a rate, or exactly some in a row, of any kind or of one."""

from __future__ import annotations

import random
from dataclasses import dataclass

from zstack_appliance.cloud.host.driver import DestroyVm, StartVm, StopVm
from zstack_appliance.cloud.host.simulated.fleet import Weather
from zstack_appliance.cloud.network_service.namespace_router.wire import ApplyRouter
from zstack_appliance.cloud.primary_storage.local.wire import CreateRootVolume, DeleteVolumeBits

REFUSED, LOST, SPARED = 0.0, 0.75, 1.0
"""What dice show for a command that fails before, or after, it has been done, or not at all, where all may fail."""

AIMS = (StartVm, StartVm, StartVm, StopVm, DestroyVm, CreateRootVolume, DeleteVolumeBits, ApplyRouter)
"""What is aimed at. Windows over commands of every kind seldom strike a guest's start, which is where an operation has
the most to undo; and what they strike beside it may hide what was left behind.
"""


@dataclass(frozen=True)
class Window:
    """Some commands, one after the other.

    Args:
        first: how many go well before.
        number: how many fail.
        fate: how.
    """

    first: int
    number: int
    fate: float


class Fates(random.Random):
    """The dice of a fleet. Rates seldom let an operation come to its last steps; a window does.

    Args:
        seed: of what happens by a rate.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._window: Window | None = None
        self._seen = 0

    def __repr__(self) -> str:
        return "commands fail by chance" if self._window is None else f"commands fail: {self._window}"

    def __deepcopy__(self, memo: object) -> Fates:
        made = Fates()
        made.setstate(self.getstate())
        made._window, made._seen = self._window, self._seen
        return made

    def weather(self, dice: random.Random) -> Weather:
        """Draw some: fair, or failing by chance, or failing exactly once or a few times, at times of one kind only."""
        latency = dice.choice([0.0, 0.2, 2.0])
        self._seen = 0
        self._window = None
        if dice.randrange(4) == 0:
            self._window = Window(dice.randrange(2), dice.choice([1, 1, 2]), dice.choice([REFUSED, LOST, LOST]))
            return Weather(latency=latency, fault_rate=1.0, strikes=(dice.choice(AIMS).path,))
        if dice.randrange(2):
            fate = dice.choice([REFUSED, LOST, LOST])
            self._window = Window(dice.randrange(12), dice.choice([1, 1, 2, 5]), fate)
            return Weather(latency=latency, fault_rate=1.0)
        return Weather(latency=latency, fault_rate=dice.choice([0.0, 0.1, 0.2, 0.4]))

    def random(self) -> float:
        """What happens to the next command."""
        if self._window is None:
            return super().random()
        self._seen += 1
        place = self._seen - 1 - self._window.first
        return self._window.fate if 0 <= place < self._window.number else SPARED
