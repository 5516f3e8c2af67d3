"""The one way to wait in a test: ask until the answer is yes, within a bound."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

import trio

T = TypeVar("T")


@overload
async def eventually(check: Callable[[], Awaitable[T]], *, within: float = ..., every: float = ...) -> T: ...


@overload
async def eventually(check: Callable[[], T], *, within: float = ..., every: float = ...) -> T: ...


async def eventually(check: Callable[[], T | Awaitable[T]], *, within: float = 5.0, every: float = 0.02) -> T:
    """Repeat `check`, plain or async, until it answers with a true value, and return that value.

    Args:
        check: asked again and again; an AssertionError from it counts as "not yet".
        within: seconds after which the test fails, with the last answer or assertion in the message.
        every: seconds between two questions.
    """
    last: object = "no answer at all"
    with trio.move_on_after(within):
        while True:
            try:
                answer = check()
                value = await answer if inspect.isawaitable(answer) else answer
                if value:
                    return value
                last = value
            except AssertionError as failed:
                last = failed
            await trio.sleep(every)
    raise AssertionError(f"not within {within:g} s; last: {last!r}")
