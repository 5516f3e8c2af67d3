"""A step of an installation: `Step`, which can be repeated, and `carry_out`, which takes those that are needed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One thing to be had.

    Args:
        name: one word.
        text: what is done, for whoever reads the plan.
        is_done: whether there is nothing to do.
        do: does it, whole or so that doing it again makes it whole.
    """

    name: str
    text: str
    is_done: Callable[[], Awaitable[bool]]
    do: Callable[[], Awaitable[None]]


Say = Callable[[str], None]


async def plan(steps: Sequence[Step]) -> list[tuple[Step, bool]]:
    """Each step, and whether it is done already. Changes nothing."""
    return [(step, await step.is_done()) for step in steps]


async def carry_out(
    steps: Sequence[Step],
    say: Say,
    *,
    after: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> list[str]:
    """Do what is not done yet, in order, and say how long each took.

    Args:
        steps: what is to be had.
        say: told of each step that was needed.
        after: called with the name of each step, done now or before; a test ends the process in it.
        clock: in seconds.

    Returns:
        The names of the steps that were needed.
    """
    needed = []
    for step in steps:
        if not await step.is_done():
            began = clock()
            await step.do()
            needed.append(step.name)
            say(f"{clock() - began:6.1f} s  {step.text}")
        after(step.name)
    return needed
