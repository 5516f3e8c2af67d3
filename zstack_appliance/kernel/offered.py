"""Steps that plugins offer to the flows of others: `OfferedStep`, and `FlowEdit`, which puts one in its place.

An offered step shares the context of the flow that it is put into. It says which contexts those may be: a
context class, or a Protocol whose attributes are the fields that it needs::

    class HasVm(Protocol):
        vm: VmInstance

    OfferedStep(Step("book", do=book, undo=give_back), fits=HasVm)

What the step wants to remember beyond that it keeps in rows of its own.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any

from zstack_appliance.kernel.flow import Context, Step, Where


@dataclass(frozen=True)
class OfferedStep:
    """A step for flows of others. Its full name is ``plugin.step``, and it is for ever.

    Args:
        step: as any flow has it; before a flow's pivot it needs an undo, or a reason why not.
        fits: the context class, or the Protocol, that its functions take.
    """

    step: Step
    fits: type[Any]

    def __post_init__(self) -> None:
        """Refuse a step that cannot be put anywhere.

        Raises:
            ValueError: it has steps of its own; offer each of them.
        """
        if self.step.steps:
            raise ValueError(f"step {self.step.name} has steps of its own; offer each of them")


@dataclass(frozen=True)
class FlowEdit:
    """Puts an offered step into a flow.

    Args:
        use: full name of the offered step, such as ``cost_center.book``.
        where: before or after a step of the flow, or instead of it.
        at: id of that step, such as ``vm_instance.create/allocate_host``.
        source: who wants it, for errors; a plugin leaves it out.
    """

    use: str
    where: Where
    at: str
    source: str = ""


def misfit(context: type[Context], fits: type[Any]) -> str | None:
    """Why a step that takes `fits` cannot be given this context; None if it can."""
    if not getattr(fits, "_is_protocol", False):
        return (
            None if issubclass(context, fits) else f"it takes a {fits.__name__}, and that flow has {context.__name__}"
        )
    needed = typing.get_type_hints(fits)
    there = typing.get_type_hints(context)
    for name, kind in needed.items():
        if name not in there:
            return f"it needs the field {name}, and {context.__name__} has {', '.join(sorted(there))}"
        if not _is_within(there[name], kind):
            return (
                f"it needs the field {name} to be {_named(kind)}, and in {context.__name__} it is {_named(there[name])}"
            )
    return None


def _is_within(given: Any, wanted: Any) -> bool:
    """Whether every value of one type is one of the other, as far as plain classes and unions tell."""
    if given == wanted or wanted is Any:
        return True
    arms = typing.get_args(wanted) or (wanted,)
    own = typing.get_args(given) or (given,)
    return all(any(arm == each or _is_below(each, arm) for arm in arms) for each in own)


def _is_below(given: Any, wanted: Any) -> bool:
    return isinstance(given, type) and isinstance(wanted, type) and issubclass(given, wanted)


def _named(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)
