"""A cloud of things that come, change and go, and whoever listens to it: `cloud_of`, `begun`, `waiting`, `said`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
import trio.testing

from tests.api.things import THINGS, Thing
from tests.running import BASE, Running, running
from zstack_appliance.kernel.conditions import parse_condition
from zstack_appliance.kernel.events.message import Message
from zstack_appliance.kernel.events.service import Events, Subscription
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Batch

ALICE, BOB = Principal("a" * 32, admin=False), Principal("b" * 32, admin=False)
PLUGINS = (*BASE, THINGS)
EMPTY = Batch(0, ())


@asynccontextmanager
async def cloud_of(data: Path) -> AsyncIterator[tuple[Running, Events]]:
    async with running(data, plugins=PLUGINS) as cloud:
        yield cloud, cloud.kernel.as_system().use(Events)


def key(name: str) -> str:
    return name.encode().hex().ljust(32, "0")


def thing(name: str, *, size: int = 1) -> Thing:
    return Thing(uuid=key(name), create_date=0, last_op_date=0, name=name, size=size, shiny=False, labels=())


async def make(cloud: Running, name: str, owner: Principal = ALICE, *, size: int = 1) -> None:
    await cloud.kernel.store.write(lambda tx: tx.insert(thing(name, size=size)), owner=owner.account_uuid)
    # Whoever subscribes next hears of it no more.
    await trio.testing.wait_all_tasks_blocked()


async def change(cloud: Running, of: str, /, **fields: Any) -> None:
    await cloud.kernel.store.write(lambda tx: tx.update(tx.require(Thing, key(of)), **fields))


async def remove(cloud: Running, name: str) -> None:
    await cloud.kernel.store.write(lambda tx: tx.delete(Thing, key(name)))


async def share(cloud: Running, name: str, to: Principal | None) -> None:
    row = SharedResource(
        uuid=key(f"s{name}"),
        create_date=0,
        last_op_date=0,
        owner_account_uuid=ALICE.account_uuid,
        to_public=to is None,
        resource_type="ThingVO",
        resource_uuid=key(name),
        receiver_account_uuid=None if to is None else to.account_uuid,
    )
    await cloud.kernel.store.write(lambda tx: tx.insert(row), owner=ALICE.account_uuid)


async def unshare(cloud: Running, name: str) -> None:
    await cloud.kernel.store.write(lambda tx: tx.delete(SharedResource, key(f"s{name}")))


def wants(*resources: str, q: tuple[str, ...] = ()) -> Interest:
    return Interest(resources, tuple(parse_condition(text) for text in q))


async def begun(stream: Subscription) -> Message:
    message = await stream.get()
    assert message is not None
    assert message.event == "ready"
    return message


async def waiting(stream: Subscription) -> list[Message]:
    """Everything that is there for a subscriber."""
    found: list[Message] = []
    await trio.testing.wait_all_tasks_blocked()
    while True:
        with trio.CancelScope() as scope:
            scope.deadline = trio.current_time() + 0.05
            message = await stream.get()
        if scope.cancelled_caught or message is None:
            return found
        found.append(message)


def said(messages: list[Message]) -> list[tuple[str, str]]:
    """Kind and name of each change; of others, the event."""
    found = []
    for message in messages:
        data = json.loads(message.data)
        found.append(
            (data["kind"], data["inventory"].get("name", "?")) if message.event == "change" else (message.event, "")
        )
    return found


def ids(messages: list[Message]) -> list[str]:
    return [str(message.position) for message in messages]


# --- what is told ----------------------------------------------------------------------------------------
