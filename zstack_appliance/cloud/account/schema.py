"""What is stored of accounts and sessions: neither a password nor a session's uuid, only hashes of them."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.kernel.schema import (
    COMPANION,
    DELETE,
    HIDDEN,
    SECRET,
    TIMESTAMP,
    Millis,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


class AccountType(enum.Enum):
    """What an account may do: everything, or what concerns its own resources."""

    SYSTEM_ADMIN = "SystemAdmin"
    NORMAL = "Normal"


@resource(wire="org.zstack.header.identity", path="/accounts", owned=True, unique=(("name",),))
class Account(Resource, frozen=True, kw_only=True):
    """Somebody who owns resources. Its row belongs to itself, so that it sees and changes itself alone."""

    type: AccountType
    password: Annotated[str, SECRET]
    """An argon2 hash of the SHA-512 that clients send."""


@resource(wire="org.zstack.header.identity", indexes=(("account_uuid",),))
class Session(Record, frozen=True, kw_only=True):
    """A login. Its uuid is a hash of the one that the client holds: reading the database opens no door."""

    account_uuid: Annotated[Uuid, Ref(Account, on_delete=DELETE, owner=True)]
    admin: Annotated[bool, HIDDEN]
    """Whether the account is a SystemAdmin; kept here so that one read per request is enough."""
    expired_date: Annotated[Millis, TIMESTAMP]
    user_uuid: Annotated[Uuid | None, COMPANION] = None
    """The user who logged in, with which it goes; None for the account itself."""


@resource(
    wire="org.zstack.header.identity",
    path="/accounts/quotas",
    table="quota",
    vo="QuotaVO",
    inventory="QuotaInventory",
    unique=(("identity_uuid", "name"),),
)
class AccountQuota(Record, frozen=True, kw_only=True):
    """How much an account may have of one quota. Administrators have no such rows, and so no limits."""

    name: str
    identity_uuid: Annotated[Uuid, Ref(Account, edge="account", back="quota", on_delete=DELETE, owner=True)]
    identity_type: str
    """Always ``AccountVO``: no other identity has quotas."""
    value: int
