"""What can be asked of users, groups and policies. Each acts on what the caller's account has."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.account.messages import Password, SessionInventory
from zstack_appliance.cloud.account.schema import Account
from zstack_appliance.cloud.account.user_schema import Policy, PolicyStatement, User, UserGroup
from zstack_appliance.kernel.message import ANY, OWNER, Create, Delete, Read, Request, api
from zstack_appliance.kernel.schema import SECRET, Name, Ref, Text, Uuid

_WIRE = "org.zstack.header.identity"
UserUuid = Annotated[Uuid, Ref(User)]
GroupUuid = Annotated[Uuid, Ref(UserGroup)]
PolicyUuid = Annotated[Uuid, Ref(Policy)]
PolicyUuids = Annotated[tuple[str, ...], Ref(Policy), msgspec.Meta(min_length=1)]


@api("POST", "/accounts/users", access=OWNER)
class CreateUser(Create[User], frozen=True, kw_only=True):
    """Make a user of the caller's account. It may look at everything, and do what policies allow."""

    name: Name
    password: Password
    description: Text | None = None


@api("PUT", "/accounts/users/actions", access=OWNER)
class UpdateUser(Request[User], frozen=True, kw_only=True):
    """Change a user. A user changes itself, whatever its policies; another password ends its other sessions."""

    uuid: UserUuid | None = None
    """None is the user who asks."""
    name: Name | None = None
    description: Text | None = None
    password: Password | None = None
    old_password: Password | None = None
    """If given, it is checked before anything changes; a user who changes itself has to give it."""


@api("DELETE", "/accounts/users/{uuid}", access=OWNER, reply=None)
class DeleteUser(Delete, frozen=True, kw_only=True):
    """Delete a user, and end its sessions. What it made belongs to the account, and stays."""

    uuid: UserUuid


@api("POST", "/accounts/groups", access=OWNER)
class CreateUserGroup(Create[UserGroup], frozen=True, kw_only=True):
    """Make a group of users."""

    name: Name
    description: Text | None = None


@api("PUT", "/accounts/groups/actions", access=OWNER)
class UpdateUserGroup(Request[UserGroup], frozen=True, kw_only=True):
    """Change a group's name or description."""

    uuid: GroupUuid
    name: Name | None = None
    description: Text | None = None


@api("DELETE", "/accounts/groups/{uuid}", access=OWNER, reply=None)
class DeleteUserGroup(Delete, frozen=True, kw_only=True):
    """Delete a group; its users stay."""

    uuid: GroupUuid


@api("POST", "/accounts/policies", access=OWNER)
class CreatePolicy(Create[Policy], frozen=True, kw_only=True):
    """Write down what users may do, to be attached to them or to groups."""

    name: Name
    statements: Annotated[tuple[PolicyStatement, ...], msgspec.Meta(min_length=1)]
    description: Text | None = None


@api("DELETE", "/accounts/policies/{uuid}", access=OWNER, reply=None)
class DeletePolicy(Delete, frozen=True, kw_only=True):
    """Delete a policy; it holds for nobody any more."""

    uuid: PolicyUuid


@api("POST", "/accounts/groups/{groupUuid}/users", access=OWNER, reply=None, wire=_WIRE)
class AddUserToGroup(Request[None], frozen=True, kw_only=True):
    """Put a user into a group; twice is once."""

    user_uuid: UserUuid
    group_uuid: GroupUuid


@api("DELETE", "/accounts/groups/{groupUuid}/users/{userUuid}", access=OWNER, reply=None, wire=_WIRE)
class RemoveUserFromGroup(Request[None], frozen=True, kw_only=True):
    """Take a user out of a group; who is not in it is out."""

    user_uuid: UserUuid
    group_uuid: GroupUuid


@api("POST", "/accounts/users/{userUuid}/policies", access=OWNER, reply=None, wire=_WIRE)
class AttachPolicyToUser(Request[None], frozen=True, kw_only=True):
    """Have a policy hold for a user."""

    user_uuid: UserUuid
    policy_uuid: PolicyUuid


@api("POST", "/accounts/users/{userUuid}/policy-collection", access=OWNER, reply=None, wire=_WIRE)
class AttachPoliciesToUser(Request[None], frozen=True, kw_only=True):
    """Have several policies hold for a user."""

    user_uuid: UserUuid
    policy_uuids: PolicyUuids


@api("DELETE", "/accounts/users/{userUuid}/policies/{policyUuid}", access=OWNER, reply=None, wire=_WIRE)
class DetachPolicyFromUser(Request[None], frozen=True, kw_only=True):
    """Have a policy hold for a user no more."""

    user_uuid: UserUuid
    policy_uuid: PolicyUuid


@api("DELETE", "/accounts/users/{userUuid}/policies", access=OWNER, reply=None, wire=_WIRE)
class DetachPoliciesFromUser(Request[None], frozen=True, kw_only=True):
    """Have several policies hold for a user no more."""

    user_uuid: UserUuid
    policy_uuids: PolicyUuids


@api("POST", "/accounts/groups/{groupUuid}/policies", access=OWNER, reply=None, wire=_WIRE)
class AttachPolicyToUserGroup(Request[None], frozen=True, kw_only=True):
    """Have a policy hold for everybody in a group."""

    group_uuid: GroupUuid
    policy_uuid: PolicyUuid


@api("DELETE", "/accounts/groups/{groupUuid}/policies/{policyUuid}", access=OWNER, reply=None, wire=_WIRE)
class DetachPolicyFromUserGroup(Request[None], frozen=True, kw_only=True):
    """Have a policy hold for a group no more."""

    group_uuid: GroupUuid
    policy_uuid: PolicyUuid


@api(
    "PUT",
    "/accounts/users/login",
    access=ANY,
    session=False,
    sync=True,
    wire=_WIRE,
    answer=f"{_WIRE}.APILogInReply",
)
class LogInByUser(Request[SessionInventory], frozen=True, kw_only=True):
    """Open a session for a user of an account, which is named by its uuid or its name."""

    user_name: Name
    password: Annotated[str, SECRET]
    account_uuid: str | None = None
    account_name: Name | None = None


@api("PUT", "/accounts/permissions/actions", access=OWNER, sync=True, wire=_WIRE)
class CheckApiPermission(Read[dict[str, str]], frozen=True, kw_only=True):
    """Ask which APIs the caller, or a user of its account, may call: each name with ``Allow`` or ``Deny``."""

    api_names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """Full classes, such as ``org.zstack.header.vm.APIStartVmInstanceMsg``."""
    user_uuid: UserUuid | None = None


@api("GET", "/resources/accounts", access=OWNER, sync=True, reply="inventories", wire=_WIRE)
class GetResourceAccount(Read[dict[str, Account]], frozen=True, kw_only=True):
    """Ask to whom rows belong: by uuid, those of the caller's own; an administrator learns of all."""

    resource_uuids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
