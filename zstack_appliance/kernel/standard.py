"""Handlers that plain resources need no code for: a folder lists them in its plugin and is done.

Primitives: `creates`, `updates`, `switches_state` and `deletes`, each of which makes a `Handler` from a
message.

An `also` function runs in the same commit as the change and may change more rows, such as clearing the
default flag of the others. It is synchronous and safe to run again. That what a row refers to still exists,
and that nothing refers to what goes, is checked by the store at the end of every write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from zstack_appliance.kernel.cascade import Cascade
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.message import Create, Delete, Request, StateEvent, Update, reply_of, resource_of
from zstack_appliance.kernel.plugin import Handler
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import Key, OnOff, Record
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags

R = TypeVar("R", bound=Record)

Also = Callable[[Tx, Any], None]
Act = Callable[[Any, Cloud], Awaitable[None]]


def creates(message: type[Create[R]], resource: type[R], *, also: Also | None = None, **fixed: Any) -> Handler:
    """Make a row from the message: fields of one name are copied, `fixed` gives the others.

    The row, its tags and what `also` does are one commit.
    """

    async def create(m: Create[R], cloud: Cloud) -> R:
        row = cloud.draft(resource, m, **fixed)
        tagging = draft_tags(m, row, cloud)

        def commit(tx: Tx) -> R:
            made = tx.insert(row)
            attach(tx, tagging)
            if also is not None:
                also(tx, made)
            return made

        return await cloud.write(commit)

    return Handler(message, create, _own_queue(resource, "resource_uuid"))


def updates(message: type[Update[R]], *, also: Also | None = None) -> Handler:
    """Change the fields that the message gives; None leaves one as it is."""
    resource = _changed(message)
    columns = {field.name for field in msgspec.structs.fields(resource)} - {"uuid"}
    names = [field.name for field in msgspec.structs.fields(message) if field.name in columns]

    async def update(m: Update[R], cloud: Cloud) -> R:
        changes = {name: getattr(m, name) for name in names if getattr(m, name) is not None}

        def commit(tx: Tx) -> R:
            row = tx.update(tx.require(resource, m.uuid), **changes)
            if also is not None:
                also(tx, row)
            return row

        return await cloud.write(commit)

    return Handler(message, update, _own_queue(resource, "uuid"))


def switches_state(message: type[Request[R]]) -> Handler:
    """Set ``state`` to Enabled or Disabled, as the message's ``state_event`` says; asked twice is once."""
    resource = _changed(message)

    async def switch(m: Any, cloud: Cloud) -> R:
        state = OnOff.ENABLED if m.state_event is StateEvent.ENABLE else OnOff.DISABLED
        return await cloud.write(lambda tx: tx.update(tx.require(resource, m.uuid), state=state))

    return Handler(message, switch, _own_queue(resource, "uuid"))


def deletes(message: type[Delete], *, act: Act | None = None) -> Handler:
    """Delete a row by the cascade: what depends on it first, then the row; one that has gone is done.

    Args:
        message: its ``uuid`` says by its `Ref` what is deleted.
        act: ``async def act(message, cloud)`` deletes the row, once nothing depends on it any more and before
            anybody else is served in its queue; by default the row is removed with its tags and parts.
    """
    resource = resource_of(message)
    assert resource is not None, f"{message.__name__} says nowhere what it deletes: give its uuid a Ref"

    async def delete(m: Delete, cloud: Cloud) -> None:
        row = cloud.store.get(resource, m.uuid)
        if row is None:
            return
        await cloud.use(Cascade).clear(row, m.delete_mode, cloud)
        # A row whose plugin is missing is a record and nothing else: what knew more of it is not there.
        if act is not None and cloud.store.missing_plugin(row) is None:
            await act(m, cloud)
        else:
            await cloud.write(lambda tx: remove(tx, resource, m.uuid))

    return Handler(message, delete, _own_queue(resource, "uuid"))


def _changed(message: type[Request[R]]) -> type[R]:
    found: type[R] = reply_of(message)
    return found


def _own_queue(resource: type[Record], field: str) -> Callable[[Any], Key | None]:
    """Each row has a queue of its own, by the uuid in this field."""

    def queue(message: Any) -> Key | None:
        uuid: str | None = getattr(message, field)
        return None if uuid is None else resource.key(uuid)

    return queue
