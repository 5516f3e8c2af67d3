"""Handlers that plain resources need no code for: a folder lists them in its plugin and is done.

Primitives: `creates`, `updates`, `switches_state` and `deletes`, each of which makes a `Handler` from a
message.

An `also` function runs in the same commit as the change and may change more rows, such as clearing the
default flag of the others. It is synchronous and safe to run again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.message import Create, Delete, Request, StateEvent, Update, reply_of
from zstack_appliance.kernel.plugin import Handler
from zstack_appliance.kernel.schema import OnOff, Record, describe, fields_of
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags

R = TypeVar("R", bound=Record)

Also = Callable[[Tx, Any], None]


def creates(message: type[Create[R]], resource: type[R], *, also: Also | None = None, **fixed: Any) -> Handler:
    """Make a row from the message: fields of one name are copied, `fixed` gives the others.

    The row, its tags and what `also` does are one commit, in which everything the row refers to must exist.
    """

    async def create(m: Create[R], cloud: Cloud) -> R:
        row = cloud.draft(resource, m, **fixed)
        tagging = draft_tags(m, row, cloud)

        def commit(tx: Tx) -> R:
            require_references(tx, row)
            made = tx.insert(row)
            attach(tx, tagging)
            if also is not None:
                also(tx, made)
            return made

        return await cloud.write(commit)

    return Handler(message, create)


def updates(message: type[Update[R]], *, also: Also | None = None) -> Handler:
    """Change the fields that the message gives; None leaves one as it is."""
    resource = _resource(message)
    names = [f.name for f in fields_of(message) if f.name in _columns(resource) and f.name != "uuid"]

    async def update(m: Update[R], cloud: Cloud) -> R:
        changes = {name: getattr(m, name) for name in names if getattr(m, name) is not None}

        def commit(tx: Tx) -> R:
            row = tx.update(tx.require(resource, m.uuid), **changes)
            if also is not None:
                also(tx, row)
            return row

        return await cloud.write(commit)

    return Handler(message, update, lambda m: resource.key(m.uuid))


def switches_state(message: type[Request[R]]) -> Handler:
    """Set ``state`` to Enabled or Disabled, as the message's ``state_event`` says; asked twice is once."""
    resource = _resource(message)

    async def switch(m: Any, cloud: Cloud) -> R:
        state = OnOff.ENABLED if m.state_event is StateEvent.ENABLE else OnOff.DISABLED
        return await cloud.write(lambda tx: tx.update(tx.require(resource, m.uuid), state=state))

    return Handler(message, switch, lambda m: resource.key(m.uuid))


def require_references(tx: Tx, row: Record) -> None:
    """Check, inside the commit, that everything a row refers to still exists.

    Raises:
        NotFound: something has been deleted since the request was checked.
    """
    for field in describe(type(row)).fields:
        value = getattr(row, field.name)
        if field.ref is not None and value is not None:
            tx.require(field.ref.target, value)


def _resource(message: type[Request[R]]) -> type[R]:
    found: type[R] = reply_of(message)
    return found


def _columns(resource: type[Record]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(resource)}
