"""A cloud of things with an administrator at its REST door: `door`, and `action`, where a thing is acted on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.api.things import THINGS
from tests.running import BASE, Caller, Running, running

UNKNOWN = "f" * 32


@asynccontextmanager
async def door(data: Path) -> AsyncIterator[tuple[Running, Caller]]:
    """A cloud with things, and its administrator."""
    async with running(data, plugins=(*BASE, THINGS)) as cloud, cloud.login() as admin:
        yield cloud, admin


def action(thing: dict[str, Any]) -> str:
    """The path of what is done with a thing."""
    return f"/things/{thing['uuid']}/actions"
