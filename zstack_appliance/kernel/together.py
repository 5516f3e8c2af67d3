"""Do several things at once: `together`; `alone` and `was_cancelled` read the group that a nursery raises.

A nursery wraps what its tasks raise into a group, and callers that treat a `CloudError` would not know it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import trio

from zstack_appliance.kernel.errors import CloudError


async def together(*work: Callable[[], Awaitable[object]]) -> None:
    """Run all of these to their end; the first that fails ends the others.

    Raises:
        CloudError: what it failed with, as it would be raised without company.
        Cancelled: the caller's scope was cancelled.
    """
    try:
        async with trio.open_nursery() as nursery:
            for each in work:
                nursery.start_soon(each)
    except BaseExceptionGroup as group:
        raise alone(group) from None


def alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first `CloudError` of a group that holds nothing worse than errors; else the group itself."""
    found = list(leaves(group))
    if all(isinstance(error, Exception) for error in found):
        return next((error for error in found if isinstance(error, CloudError)), group)
    return group


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, however deep; an error that is no group is its own only one."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def was_cancelled(error: BaseException) -> bool:
    """Whether a cancel is what ended a step; tasks that it started in a nursery report it as a group."""
    found = list(leaves(error))
    harmless = all(isinstance(each, (Exception, trio.Cancelled)) for each in found)
    return harmless and any(isinstance(each, trio.Cancelled) for each in found)
