"""Events of every resource there is: an account hears of its own rows and of what everybody may read, never more.

The cases come from the built-in plugins, so a new resource is covered by being there.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.proofs.samples import Rows
from tests.proofs.test_apis import QUERIES, world
from zstack_appliance.kernel.conditions import parse_condition
from zstack_appliance.kernel.derive.route import QueryRoute
from zstack_appliance.kernel.edges import Graph, query_name
from zstack_appliance.kernel.events.service import Events, Subscription
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.schema import HIDDEN, Record, describe, owner_ref, root_of
from zstack_appliance.kernel.store import Store, Tx


async def heard(stream: Subscription) -> list[dict[str, Any]]:
    """Every change that waits for a subscriber."""
    await trio.testing.wait_all_tasks_blocked()
    found: list[dict[str, Any]] = []
    while True:
        message = None
        with trio.move_on_after(0.1):
            message = await stream.get()
        if message is None:
            return found
        assert message.event != "gap"
        if message.event == "change":
            found.append(json.loads(message.data))


async def touch(store: Store, cls: type[Record], uuid: str) -> None:
    """Change a row in something, and remove it where nothing refers to it."""
    row = store.require(cls, uuid)
    field = next((f for f in describe(type(row)).fields if f.type is str and _is_free(row, f)), None)
    if field is not None:
        await store.write(lambda tx: tx.update(row, **{field.name: f"{getattr(row, field.name)}x"}))

    def remove(tx: Tx) -> None:
        if not any(tx.find(other, **{ref.name: uuid}) for other, ref, _ in tx.referrers(row)):
            tx.delete(type(row), uuid)

    await store.write(remove)


def _is_free(row: Record, field: Any) -> bool:
    """Whether a field may have any text."""
    taken = {describe(type(row)).options.discriminator, describe(root_of(type(row)).cls).options.discriminator}
    return field.ref is None and field.name not in ("uuid", *taken) and getattr(row, field.name) is not None


def interests(graph: Graph, cls: type[Record], theirs: str) -> list[Interest]:
    """Everything, this resource, and this resource by conditions that lead to what is another's."""
    name = query_name(cls)
    found = [Interest(), Interest((name,))]
    if not describe(cls).field("uuid").marked(HIDDEN):
        found.append(Interest((name,), (parse_condition(f"uuid!={'0' * 32}"),)))
    for edge in list(graph.edges(cls).values())[:4]:
        found.append(Interest((name,), (parse_condition(f"{edge.name}.uuid={theirs}"),)))
        found.append(Interest((name,), (parse_condition(f"{edge.name}.uuid!={'0' * 32}"),)))
    return found


@pytest.mark.parametrize("route", [pytest.param(route, id=path) for path, route in sorted(QUERIES.items())])
async def test_no_event_shows_what_is_not_to_be_seen(
    tmp_path: Path, autojump_clock: MockClock, route: QueryRoute
) -> None:
    cls = route.resource
    async with world(tmp_path) as at:
        cloud = at.cloud.kernel.as_system()
        events, graph, store = cloud.use(Events), cloud.use(Graph), cloud.store
        alice = Principal(at.alices.owner, admin=False)
        strangers = Rows(store, graph, SYSTEM.account_uuid)
        theirs = await strangers.of(cls)
        wanted = interests(graph, cls, theirs)
        with ExitStack() as stack:
            admins = stack.enter_context(events.subscribe(SYSTEM, Interest()))
            streams = [stack.enter_context(events.subscribe(alice, interest)) for interest in wanted]
            for stream in (admins, *streams):
                await stream.get()
            own = await at.alices.of(cls)
            # Only now, so that it is told too.
            mine = store.owner(cls, own) == alice.account_uuid and _owned(cls)
            await touch(store, cls, theirs)
            await touch(store, cls, own)
            everything = await heard(admins)
            told = [await heard(stream) for stream in streams]
    assert {theirs, own} & {each["uuid"] for each in everything}, "there is nothing to prove"
    secret = {uuid for kind, uuid in strangers._made.items() if not root_of(kind).options.readable and uuid != own}
    for interest, found in zip(wanted, told, strict=True):
        text = json.dumps(found)
        assert not [uuid for uuid in secret if uuid in text], f"{interest} shows a stranger's row"
    seen = {each["uuid"] for each in told[1]}
    readable = root_of(cls).options.readable
    assert (theirs in seen) <= readable
    if mine or readable:
        assert own in seen


def _owned(cls: type[Record]) -> bool:
    root = root_of(cls)
    return (root.options.owned or owner_ref(root.cls) is not None) and not describe(cls).field("uuid").marked(HIDDEN)
