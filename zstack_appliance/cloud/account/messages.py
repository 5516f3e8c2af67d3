"""What accounts can be asked. Passwords come as the lower-case SHA-512 in hex, as ZStack's clients send them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.account.schema import Account, AccountQuota, AccountType
from zstack_appliance.kernel.message import ADMIN, ANY, OWNER, Create, Delete, Read, Request, Update, api
from zstack_appliance.kernel.schema import SECRET, TIMESTAMP, Millis, Name, Ref, Text, Uuid

_WIRE = "org.zstack.header.identity"

Password = Annotated[str, msgspec.Meta(max_length=255, description="SHA-512 in lower-case hex"), SECRET]
SessionUuid = Annotated[str, msgspec.Meta(max_length=255), SECRET]
"""The uuid that a client holds. It is a key, so it is nowhere stored, logged or answered but at login."""


class SessionInventory(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A session as its holder sees it. Where others may read the answer too, the uuid is left out."""

    uuid: str | None = None
    account_uuid: Uuid
    user_uuid: Uuid
    """The user's, or the account's again: ZStack's clients expect it for logins by account."""
    expired_date: Annotated[Millis, TIMESTAMP]
    create_date: Annotated[Millis, TIMESTAMP]


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a session can be used now."""

    valid: bool


@api("POST", "/accounts", access=ADMIN)
class CreateAccount(Create[Account], frozen=True, kw_only=True):
    """Make an account. Its name is unique, since it logs in by it."""

    name: Name
    password: Password
    type: AccountType = AccountType.NORMAL
    description: Text | None = None


@api("PUT", "/accounts/{uuid}", access=OWNER)
class UpdateAccount(Update[Account], frozen=True, kw_only=True):
    """Rename an account, or give it another password, which ends its other sessions."""

    uuid: Annotated[Uuid, Ref(Account)]
    name: Name | None = None
    description: Text | None = None
    password: Password | None = None
    old_password: Password | None = None
    """If given, it is checked before anything changes."""


@api("DELETE", "/accounts/{uuid}", access=ADMIN, reply=None)
class DeleteAccount(Delete, frozen=True, kw_only=True):
    """Delete an account with everything that it owns, and end its sessions."""

    uuid: Annotated[Uuid, Ref(Account)]


@api("PUT", "/accounts/quotas/actions", access=ADMIN)
class UpdateQuota(Request[AccountQuota], frozen=True, kw_only=True):
    """Let an account have more of something, or less; what it has already stays."""

    identity_uuid: Annotated[Uuid, Ref(Account)]
    name: Name
    value: Annotated[int, msgspec.Meta(ge=0)]


class QuotaUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has of one quota."""

    name: str
    total: int
    """What it may have."""
    used: int


@api("GET", "/accounts/quota/{uuid}/usages", access=OWNER, sync=True, reply="usages", wire=_WIRE)
class GetAccountQuotaUsage(Read[tuple[QuotaUsage, ...]], frozen=True, kw_only=True):
    """What an account has, and may have, of each quota. Administrators have no limits, and so no quotas."""

    uuid: Annotated[Uuid, Ref(Account)]


@api("PUT", "/accounts/resources/actions", access=OWNER, reply=None, wire=_WIRE)
class ShareResource(Request[None], frozen=True, kw_only=True):
    """Let other accounts see and use rows of the caller's; shared already is done already."""

    resource_uuids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    account_uuids: tuple[str, ...] | None = None
    to_public: bool = False
    """Let every account."""


@api("PUT", "/accounts/resources/actions", access=OWNER, reply=None, wire=_WIRE)
class RevokeResourceSharing(Request[None], frozen=True, kw_only=True):
    """Share rows of the caller's no more. What was made of them stays."""

    resource_uuids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    to_public: bool = False
    """Take them from the public."""
    account_uuids: tuple[str, ...] | None = None
    """Take them from these accounts."""
    all: bool = False
    """Take them from everybody."""


@api(
    "PUT",
    "/accounts/login",
    access=ANY,
    session=False,
    sync=True,
    wire=_WIRE,
    answer=f"{_WIRE}.APILogInReply",
)
class LogInByAccount(Request[SessionInventory], frozen=True, kw_only=True):
    """Open a session."""

    account_name: Name
    password: Annotated[str, SECRET]


@api("DELETE", "/accounts/sessions/{sessionUuid}", access=ANY, session=False, sync=True, wire=_WIRE, reply=None)
class LogOut(Request[None], frozen=True, kw_only=True):
    """End a session. One that has ended already counts as ended."""

    session_uuid: Annotated[str | None, SECRET] = None


@api("GET", "/accounts/sessions/{sessionUuid}/valid", access=ANY, session=False, sync=True, reply=None, wire=_WIRE)
class ValidateSession(Read[Validity], frozen=True, kw_only=True):
    """Ask whether a session can be used now."""

    session_uuid: SessionUuid


@api("PUT", "/accounts/sessions/{sessionUuid}/renew", access=ANY, wire=_WIRE)
class RenewSession(Request[SessionInventory], frozen=True, kw_only=True):
    """Let a session of the caller's own account end later than it would."""

    session_uuid: SessionUuid
    duration: Annotated[int, msgspec.Meta(ge=60, le=31536000, description="seconds from now")] | None = None
    """None takes the length of a fresh session."""
