"""Rows that one account lets others see and use: `SharedResource`, and who may see what by it.

Primitives: `shared` (the condition in SQL, for queries) and `is_shared` (for one row). Whoever may see a row may
use it, as a VM's image, say; only its owner may change it.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol, TypeVar

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import COMPANION, Record, Uuid, describe, owner_ref, resource, root_of
from zstack_appliance.kernel.sql import Statement

R = TypeVar("R", bound=Record)


class Rows(Protocol):
    """Where rows are read from: the store, or one snapshot of it."""

    def owner(self, cls: type[R], uuid: str) -> str | None:
        """The account that a row belongs to; None where there is no such row."""

    def find(self, cls: type[R], **equals: Any) -> list[R]:
        """The rows whose fields have these values."""


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


def sees(store: Rows, cls: type[Record], uuid: str, principal: Principal) -> bool:
    """Whether the principal may know that a row exists."""
    root = root_of(cls)
    if principal.admin or root.options.readable:
        return True
    has_owner = root.options.owned or owner_ref(root.cls) is not None
    if has_owner and store.owner(cls, uuid) == principal.account_uuid:
        return True
    return is_shared(store, cls, uuid, principal)


def is_shared(store: Rows, cls: type[Record], uuid: str, principal: Principal) -> bool:
    """Whether one row is shared with the principal."""
    if not root_of(cls).options.shareable:
        return False
    rows = store.find(SharedResource, resource_uuid=uuid)
    return any(row.to_public or row.receiver_account_uuid == principal.account_uuid for row in rows)
