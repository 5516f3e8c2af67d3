"""Which rows an account may see: `visible` as SQL, `is_part` along an edge, `Shared` for what is shared.

The rule stands here alone and holds for every table that a query touches, not only for the rows it answers
with: a row that an account may not see can neither be found, nor sorted by, nor counted, nor guessed at
through an edge. Whoever sees a row sees its parts with it: they stand in its inventory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from zstack_appliance.kernel.derive.ddl import OWNER, quoted
from zstack_appliance.kernel.edges import Edge
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, Resource, owner_ref, root_of
from zstack_appliance.kernel.sql import Statement

Shared: TypeAlias = Callable[[type[Record], str, Principal], Statement | None]
"""``shared(resource, uuid, principal)``: SQL that holds when the row whose uuid is the SQL expression `uuid`
has been shared with the principal's account; None when rows of that resource are never shared."""


def nothing_shared(_cls: type[Record], _uuid: str, _principal: Principal) -> Statement | None:
    """No row is shared with anybody."""
    return None


def is_part(edge: Edge) -> bool:
    """Whether the rows that an edge leads to are part of the row that it leaves from.

    Parts stand in the row's inventory, and nobody owns them for themselves: either the edge is what they
    have their owner from (a VM's NICs), or no account owns them and they have no name (an image's places).
    """
    if edge.embed is None:
        return False
    target = root_of(edge.target)
    owner = owner_ref(target.cls)
    if owner is not None:
        return owner.name == edge.key
    return not target.options.owned and not issubclass(target.cls, Resource)


def visible(
    cls: type[Record], alias: str, principal: Principal, shared: Shared, *, selective: bool = False
) -> Statement | None:
    """The condition under which the principal sees a row of `cls`.

    Args:
        cls: the resource; a sub-type's rows are its base's, and so are who owns and who reads them.
        alias: the SQL name of the base's table.
        principal: who looks.
        shared: what has been shared.
        selective: whether other conditions already lead to few rows.

    Returns:
        None when it sees all rows.
    """
    root = root_of(cls)
    if principal.admin or root.options.readable:
        return None
    if not root.options.owned and owner_ref(root.cls) is None:
        return Statement("0")
    # SQLite takes any equation for more selective than an IN, and would go through all rows of an account
    # to find one VM's disks. A plus keeps it from using the owner's index where there is a better one.
    own = Statement(f"{'+' if selective else ''}{alias}.{quoted(OWNER)} = ?", (principal.account_uuid,))
    more = shared(root.cls, f"{alias}.{quoted('uuid')}", principal)
    if more is None:
        return own
    return Statement(f"({own.sql} OR {more.sql})", own.bindings + more.bindings)
