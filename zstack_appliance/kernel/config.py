"""Settings that an administrator changes while the cloud runs.

Primitives: `GlobalConfig` (a declared setting: category, name, default, what values it takes), `Setting`
(the stored row, one per declared setting) and `Configs` (the values in force). Those that a resource may have
for itself are in `resource_config.py`.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import trio

from zstack_appliance.kernel.errors import Fault, NotFound, refuse
from zstack_appliance.kernel.schema import HIDDEN, Record, Text, Uuid, resource

if TYPE_CHECKING:
    from zstack_appliance.kernel.store.feed import Batch


@dataclass(frozen=True)
class GlobalConfig:
    """One setting. Values travel and are stored as text, as ZStack's clients expect.

    Args:
        category: such as ``vm``.
        name: such as ``deletionPolicy``.
        default: as text.
        description: one sentence for the operator, with the unit.
        kind: ``str``, ``int``, ``float`` or ``bool``: what the text must read as; an ``int`` may have a unit (``1G``).
        low: smallest allowed number.
        high: largest allowed number.
        choices: the only allowed texts.
        pattern: a regular expression that the whole text must match.
        bind: wire types of the resources that may have a value of their own, such as ``HostVO``, nearest first.
    """

    category: str
    name: str
    default: str
    description: str
    kind: type = str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    bind: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """``category.name``."""
        return f"{self.category}.{self.name}"

    def fault(self, value: str) -> Fault | None:
        """What is wrong with a value, or None."""
        if self.choices and value not in self.choices:
            return self._fault(value, f"one of {', '.join(self.choices)}")
        if self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            return self._fault(value, f"a text that matches {self.pattern}")
        if self.kind is bool and value.lower() not in ("true", "false"):
            return self._fault(value, "true or false")
        if self.kind in (int, float):
            return self._number_fault(value)
        return None

    def _number_fault(self, value: str) -> Fault | None:
        number = parse_number(value) if self.kind is int else parse_fraction(value)
        if number is None:
            whole = "a whole number, if need be with a unit such as 1G"
            return self._fault(value, whole if self.kind is int else "a number such as 1.5")
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            bounds = f"{'' if self.low is None else self.low} to {'' if self.high is None else self.high}"
            return self._fault(value, f"a number in the range {bounds}")
        return None

    def _fault(self, value: str, wanted: str) -> Fault:
        return Fault("value", f"global config[{self.path}] takes {wanted}, but got [{value}]")


_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def parse_number(text: str) -> int | None:
    """``4096``, ``1G`` or ``-1`` as a whole number; None when it is not one."""
    match = re.fullmatch(r"(-?\d+)([BKMGT]?)", text.strip(), re.IGNORECASE)
    return int(match[1]) * _UNITS[match[2].upper()] if match else None


def parse_fraction(text: str) -> float | None:
    """``1.5`` or ``2`` as a number; None when it is not one."""
    return float(text) if re.fullmatch(r"\s*-?\d{1,9}(\.\d{1,9})?\s*", text) else None


@resource(
    wire="org.zstack.core.config",
    path="/global-configurations",
    table="global_config",
    vo="GlobalConfigVO",
    inventory="GlobalConfigInventory",
    unique=(("category", "name"),),
)
class Setting(Record, frozen=True, kw_only=True):
    """The stored row of one setting; every declared setting has one, so that it can be queried.

    ZStack's clients know it by category and name alone.
    """

    uuid: Annotated[Uuid, HIDDEN]
    category: str
    name: str
    description: Text
    default_value: str
    value: str


class Values(abc.ABC):
    """Texts by their path, read as what they stand for."""

    @abc.abstractmethod
    def text(self, path: str) -> str:
        """The value in force, as text."""

    def number(self, path: str) -> int:
        """The value in force as a whole number, units resolved.

        Raises:
            ValueError: the declaration is not of kind ``int``.
        """
        value = parse_number(self.text(path))
        if value is None:
            raise ValueError(f"{path} is not a number")
        return value

    def fraction(self, path: str) -> float:
        """The value in force as a number.

        Raises:
            ValueError: the declaration is of kind neither ``int`` nor ``float``.
        """
        value = parse_fraction(self.text(path))
        if value is None:
            raise ValueError(f"{path} is not a number")
        return value

    def flag(self, path: str) -> bool:
        """The value in force as a boolean."""
        return self.text(path).lower() == "true"


class Configs(Values):
    """The values in force: defaults of the declarations, overlaid by what is stored."""

    def __init__(self, declared: Iterable[GlobalConfig]) -> None:
        self.declared = {config.path: config for config in declared}
        self._values = {path: config.default for path, config in self.declared.items()}
        self._listeners: list[Callable[[str], None]] = []
        self._changed = trio.Event()

    def load(self, stored: Iterable[Setting]) -> None:
        """Overlay the stored settings; one whose declaration has gone is kept in the store and ignored."""
        for setting in stored:
            self.put(f"{setting.category}.{setting.name}", setting.value)

    def put(self, path: str, value: str) -> None:
        """Set a value that is already stored; a path that nobody declares is ignored."""
        if path in self._values:
            self._values[path] = value
            for listener in self._listeners:
                listener(path)
            self._changed.set()
            self._changed = trio.Event()

    def heard(self, batch: Batch) -> None:
        """Listen to the change feed: what is stored, here or by another node, is in force."""
        for change in batch.changes:
            if isinstance(change.after, Setting):
                self.load((change.after,))

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the path of each setting that changes."""
        self._listeners.append(listener)

    async def pause(self, path: str) -> None:
        """Wait as many seconds as a setting says; if it changes meanwhile, as many as it says then."""
        await trio.lowlevel.checkpoint()
        begun = trio.current_time()
        while (left := begun + self.number(path) - trio.current_time()) > 0:
            with trio.move_on_after(left):
                await self._changed.wait()

    def declaration(self, path: str) -> GlobalConfig:
        """The declaration at ``category.name``.

        Raises:
            NotFound: nobody declares it.
        """
        if path not in self.declared:
            raise NotFound(f"no global config {path}; query /global-configurations for what exists")
        return self.declared[path]

    def check(self, path: str, value: str) -> None:
        """Raise an `InvalidArgument` when `value` may not be stored at `path`."""
        refuse(self.declaration(path).fault(value))

    def text(self, path: str) -> str:
        """The value in force, as text."""
        return self._values[path]
