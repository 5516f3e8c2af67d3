"""Rows that one account lets others see and use: `SharedResource`, and who may see what by it.

Primitives: `shared` (the condition in SQL, for queries) and `is_shared` (for one row). Whoever may see a row may
use it, as a VM's image, say; only its owner may change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import COMPANION, Record, Uuid, describe, resource, root_of
from zstack_appliance.kernel.sql import Statement

if TYPE_CHECKING:
    from zstack_appliance.kernel.store.store import Store


@resource(
    wire="org.zstack.header.identity",
    path="/accounts/resources",
    owned=True,
    unique=(("resource_uuid", "receiver_account_uuid"),),
    indexes=(("to_public", "resource_uuid"),),
)
class SharedResource(Record, frozen=True, kw_only=True):
    """One row shared with one account, or with all of them. It goes with either."""

    owner_account_uuid: Uuid
    to_public: bool
    resource_type: str
    """The row's wire type, such as ``ImageVO``."""
    resource_uuid: Annotated[Uuid, COMPANION]
    receiver_account_uuid: Annotated[Uuid | None, COMPANION] = None
    """None when it is shared with all."""


def shared(cls: type[Record], uuid: str, principal: Principal) -> Statement | None:
    """SQL that holds when the row whose uuid is the SQL expression `uuid` is shared with the principal."""
    if not root_of(cls).options.shareable:
        return None
    table = quoted(describe(SharedResource).table)
    public = f"SELECT resource_uuid FROM {table} WHERE to_public = 1"
    received = f"SELECT resource_uuid FROM {table} WHERE receiver_account_uuid = ?"
    return Statement(f"{uuid} IN ({public} UNION ALL {received})", (principal.account_uuid,))


def is_shared(store: Store, cls: type[Record], uuid: str, principal: Principal) -> bool:
    """Whether one row is shared with the principal."""
    if not root_of(cls).options.shareable:
        return False
    rows = store.find(SharedResource, resource_uuid=uuid)
    return any(row.to_public or row.receiver_account_uuid == principal.account_uuid for row in rows)
